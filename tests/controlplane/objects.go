package main

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extensionsclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/kwok/kustomize/crd"
	"sigs.k8s.io/yaml"
)

// createObjects makes the nodes, the StorageClass `standard` and the kinds by which a test says
// where a port-forward ends, and waits until those kinds are served.
func (c *cluster) createObjects(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return err
	}
	for i := range c.nodes {
		if _, err := client.CoreV1().Nodes().Create(ctx, node(i), meta.CreateOptions{}); err != nil {
			return fmt.Errorf("create node: %w", err)
		}
	}
	if _, err := client.StorageV1().StorageClasses().Create(ctx, standardClass(), meta.CreateOptions{}); err != nil {
		return fmt.Errorf("create storage class: %w", err)
	}
	return c.createKinds(ctx)
}

func (c *cluster) createKinds(ctx context.Context) error {
	client, err := extensionsclient.NewForConfig(c.config)
	if err != nil {
		return err
	}
	kinds := client.ApiextensionsV1().CustomResourceDefinitions()
	for _, text := range [][]byte{crd.PortForward, crd.ClusterPortForward, crd.ClusterLogs} {
		var definition extensions.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &definition); err != nil {
			return err
		}
		if _, err := kinds.Create(ctx, &definition, meta.CreateOptions{}); err != nil {
			return fmt.Errorf("create %s: %w", definition.Name, err)
		}
		err := c.poll(ctx, definition.Name+" is not established", func() bool {
			live, err := kinds.Get(ctx, definition.Name, meta.GetOptions{})
			return err == nil && established(live)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// waitNodes returns when a pod created now would be scheduled: its ServiceAccount is there, and a
// node is ready without a taint.
func (c *cluster) waitNodes(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return err
	}
	return c.poll(ctx, "the nodes are not ready", func() bool {
		accounts := client.CoreV1().ServiceAccounts(meta.NamespaceDefault)
		if _, err := accounts.Get(ctx, "default", meta.GetOptions{}); err != nil {
			return false
		}
		list, err := client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
		if err != nil || apierrors.IsNotFound(err) {
			return false
		}
		ready := 0
		for _, node := range list.Items {
			if schedulable(&node) {
				ready++
			}
		}
		return ready == c.nodes
	})
}

func node(index int) *core.Node {
	name := fmt.Sprintf("node-%d", index)
	return &core.Node{ObjectMeta: meta.ObjectMeta{
		Name: name,
		Labels: map[string]string{
			core.LabelHostname:   name,
			core.LabelOSStable:   "linux",
			core.LabelArchStable: "amd64",
		},
	}}
}

func standardClass() *storage.StorageClass {
	mode := storage.VolumeBindingImmediate
	return &storage.StorageClass{
		ObjectMeta: meta.ObjectMeta{
			Name:        "standard",
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner:       "rig.jsorc.dev/volume",
		VolumeBindingMode: &mode,
	}
}

func established(definition *extensions.CustomResourceDefinition) bool {
	for _, condition := range definition.Status.Conditions {
		if condition.Type == extensions.Established && condition.Status == extensions.ConditionTrue {
			return true
		}
	}
	return false
}

func schedulable(node *core.Node) bool {
	if len(node.Spec.Taints) > 0 {
		return false
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == core.NodeReady {
			return condition.Status == core.ConditionTrue
		}
	}
	return false
}
