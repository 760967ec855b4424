package main

import "syscall"

// endWithParent lets the kernel kill the child when the thread that started it ends. The starter
// holds on to the main thread (see init in up.go), which lives as long as the process.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
