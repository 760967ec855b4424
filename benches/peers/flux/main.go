// Flux applies a file of manifests with the library inside Flux's kustomize-controller
// (github.com/fluxcd/pkg/ssa), and nothing else of that controller: no source is fetched, no
// health is waited for.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func main() {
	file := flag.String("f", "", "file with the manifests")
	namespace := flag.String("n", "default", "namespace of objects that name none")
	concurrency := flag.Int("concurrency", 4, "objects compared at the same time")
	qps := flag.Float64("qps", 50, "requests per second of each kind; below zero: no limit")
	burst := flag.Int("burst", 300, "requests at once of each kind")
	flag.Parse()
	if err := apply(context.Background(), *file, *namespace, *concurrency, float32(*qps), *burst); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func apply(ctx context.Context, path, namespace string, concurrency int, qps float32, burst int) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.QPS, config.Burst = qps, burst
	kube, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	objects, err := utils.ReadObjects(file)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
	}
	poller := polling.NewStatusPoller(kube, kube.RESTMapper(), polling.Options{})
	owner := ssa.Owner{Field: "flux", Group: "bench.jsorc.dev"}
	manager := ssa.NewResourceManager(kube, poller, owner)
	manager.SetConcurrency(concurrency)
	manager.SetOwnerLabels(objects, "bench", "bench")
	_, err = manager.ApplyAll(ctx, objects, ssa.DefaultApplyOptions())
	return err
}
