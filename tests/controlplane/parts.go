package main

import (
	"context"
	"errors"
	"fmt"
)

// startServer starts etcd and kube-apiserver together: the server waits for its store by itself.
func (c *cluster) startServer(etcdPort, peerPort, port int) error {
	client, peer := address(etcdPort), address(peerPort)
	pki := func(file string) string { return c.path("pki/" + file) }
	server := []string{
		"--etcd-servers=" + client,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		fmt.Sprintf("--secure-port=%d", port),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		"--cert-dir=" + c.path("pki"),
		"--client-ca-file=" + pki("ca.crt"),
		"--tls-cert-file=" + pki("server.crt"),
		"--tls-private-key-file=" + pki("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + pki("accounts.key"),
		"--service-account-signing-key-file=" + pki("accounts.key"),
		"--requestheader-client-ca-file=" + pki("front-ca.crt"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + pki("front.crt"),
		"--proxy-client-key-file=" + pki("front.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--profiling=false",
	}
	if c.audit {
		server = append(server,
			"--audit-policy-file="+c.path("audit-policy.yaml"),
			"--audit-log-path="+c.path("audit.log"))
	}
	return errors.Join(
		c.start("etcd",
			"--name=rig",
			"--data-dir="+c.path("etcd"),
			"--unsafe-no-fsync",
			"--log-level=warn",
			"--listen-client-urls="+client,
			"--advertise-client-urls="+client,
			"--listen-peer-urls="+peer,
			"--initial-advertise-peer-urls="+peer,
			"--initial-cluster=rig="+peer),
		c.start("kube-apiserver", server...),
	)
}

// startNodes starts what makes objects live, and returns when pods can be scheduled.
func (c *cluster) startNodes(ctx context.Context, kubeletPort int) error {
	controllers, scheduler := c.path("pki/controllers.kubeconfig"), c.path("pki/scheduler.kubeconfig")
	err := errors.Join(
		c.start("kube-controller-manager",
			"--kubeconfig="+controllers,
			"--authentication-kubeconfig="+controllers,
			"--authorization-kubeconfig="+controllers,
			"--service-account-private-key-file="+c.path("pki/accounts.key"),
			"--root-ca-file="+c.path("pki/ca.crt"),
			"--leader-elect=false",
			"--secure-port=0",
			// A node that was late once would leave its pods unready for ever: no kubelet sets them right.
			"--node-monitor-grace-period=24h",
			"--kube-api-qps=500",
			"--kube-api-burst=1000"),
		c.start("kube-scheduler",
			"--kubeconfig="+scheduler,
			"--authentication-kubeconfig="+scheduler,
			"--authorization-kubeconfig="+scheduler,
			"--leader-elect=false",
			"--secure-port=0",
			"--kube-api-qps=500",
			"--kube-api-burst=1000"),
		c.createObjects(ctx),
		c.start("kwok",
			"--kubeconfig="+c.path("kubeconfig"),
			"--config="+c.path("stages.yaml"),
			"--manage-all-nodes=true",
			"--enable-crds=PortForward,ClusterPortForward,ClusterLogs",
			"--node-ip=127.0.0.1",
			fmt.Sprintf("--node-port=%d", kubeletPort),
			fmt.Sprintf("--server-address=127.0.0.1:%d", kubeletPort),
			"--tls-cert-file="+c.path("pki/server.crt"),
			"--tls-private-key-file="+c.path("pki/server.key"),
			"--cidr=10.244.0.0/16"),
	)
	if err != nil {
		return err
	}
	return c.waitNodes(ctx)
}

func address(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
