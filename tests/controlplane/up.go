package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

//go:embed stages.yaml
var stages []byte

// auditPolicy logs who asked for what, without bodies, once the answer is known; a watch, which has
// no end worth waiting for, is logged when it starts as well.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

// init keeps main on the process's first thread, which endWithParent relies on.
func init() { runtime.LockOSThread() }

// cluster is what `up` starts and reports.
type cluster struct {
	*children
	config  *rest.Config
	server  string
	nodes   int
	audit   bool
	timeout time.Duration
}

// runUp starts a cluster and ends it when stdin ends or a signal comes, whichever is first.
func runUp() int {
	flags := flag.NewFlagSet("up", flag.ExitOnError)
	dir := flags.String("dir", "", "folder for the cluster's files; made if it is missing")
	nodes := flags.Int("nodes", 2, "KWOK nodes; 0 starts etcd and kube-apiserver only")
	audit := flags.Bool("audit", false, "write every request into DIR/audit.log")
	keep := flags.Bool("keep", false, "go on after the end of stdin, until SIGTERM or SIGINT")
	remove := flags.Bool("remove", false, "remove the folder at the end")
	timeout := flags.Duration("timeout", 90*time.Second, "how long the start may take")
	_ = flags.Parse(os.Args[1:])
	if *dir == "" {
		fmt.Fprintln(os.Stderr, "up: --dir is needed")
		return 2
	}
	ended := endOfUse(*keep)
	c, err := newCluster(*dir, *nodes, *audit, *timeout)
	if err == nil {
		defer func() {
			c.stop()
			_ = os.RemoveAll(filepath.Join(c.dir, "etcd"))
			if *remove {
				_ = os.RemoveAll(c.dir)
			}
		}()
		err = c.bringUp(ended)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "up:", err)
		return 1
	}
	c.report()
	select {
	case <-ended:
		return 0
	case part := <-c.exited:
		// stop() waits for every part; give back what was taken from it.
		c.exited <- part
		fmt.Fprintln(os.Stderr, "up:", part)
		return 1
	}
}

// endOfUse is closed when nobody needs the cluster any more.
func endOfUse(keep bool) <-chan struct{} {
	ended := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	input := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
		if !keep {
			close(input)
		}
	}()
	go func() {
		select {
		case <-signals:
		case <-input:
		}
		close(ended)
	}()
	return ended
}

func newCluster(dir string, nodes int, audit bool, timeout time.Duration) (*cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "pki"), 0o700); err != nil {
		return nil, err
	}
	parts, err := newChildren(dir)
	if err != nil {
		return nil, err
	}
	return &cluster{children: parts, nodes: nodes, audit: audit, timeout: timeout}, nil
}

// bringUp starts the parts in the order in which they need each other.
func (c *cluster) bringUp(ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	go func() {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	ports, err := freePorts(4)
	if err != nil {
		return err
	}
	c.server = fmt.Sprintf("https://127.0.0.1:%d", ports[2])
	if err := c.writeFiles(); err != nil {
		return err
	}
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.path("kubeconfig")); err != nil {
		return err
	}
	c.config.QPS, c.config.Burst = 1000, 1000
	if err := c.startServer(ports[0], ports[1], ports[2]); err != nil {
		return err
	}
	if err := c.waitReady(ctx); err != nil {
		return err
	}
	if c.nodes == 0 {
		return nil
	}
	return c.startNodes(ctx, ports[3])
}

func (c *cluster) writeFiles() error {
	ca, err := newAuthority(c.path("pki"), "ca")
	if err != nil {
		return err
	}
	front, err := newAuthority(c.path("pki"), "front-ca")
	if err != nil {
		return err
	}
	return errors.Join(
		ca.issue("server", "kube-apiserver"),
		ca.issue("admin", "admin", "system:masters"),
		// All controllers share one identity here, which therefore needs the rights of each.
		ca.issue("controllers", "system:kube-controller-manager", "system:masters"),
		ca.issue("scheduler", "system:kube-scheduler"),
		front.issue("front", "front-proxy"),
		writeAccountKey(c.path("pki/accounts.key")),
		ca.kubeconfig(c.path("kubeconfig"), c.server, "admin"),
		ca.kubeconfig(c.path("pki/controllers.kubeconfig"), c.server, "controllers"),
		ca.kubeconfig(c.path("pki/scheduler.kubeconfig"), c.server, "scheduler"),
		os.WriteFile(c.path("stages.yaml"), stages, 0o600),
		os.WriteFile(c.path("audit-policy.yaml"), []byte(auditPolicy), 0o600),
	)
}

// waitReady asks for /readyz until it says ok or a part ends.
func (c *cluster) waitReady(ctx context.Context) error {
	client, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return err
	}
	return c.poll(ctx, "kube-apiserver is not ready", func() bool {
		response, err := client.Get(c.server + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// poll repeats a check every 20 ms; a part that ends ends the waiting too.
func (c *cluster) poll(ctx context.Context, otherwise string, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return errors.New(otherwise)
		case part := <-c.exited:
			c.exited <- part
			for name := range c.running {
				if len(part) > len(name) && part[:len(name)] == name {
					return fmt.Errorf("%s:\n%s", part, c.lastLines(name))
				}
			}
			return errors.New(part)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// report prints the one line that says the cluster is there.
func (c *cluster) report() {
	line := map[string]any{
		"kubeconfig": c.path("kubeconfig"),
		"server":     c.server,
		"dir":        c.dir,
		"pids":       c.pids(),
		"nodes":      c.nodes,
	}
	if c.audit {
		line["audit"] = c.path("audit.log")
	}
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

func (c *cluster) path(file string) string { return filepath.Join(c.dir, file) }
