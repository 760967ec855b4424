//go:build !linux

package main

import "syscall"

// endWithParent has no counterpart here: only a clean end of `up` ends its children.
func endWithParent(*syscall.SysProcAttr) {}
