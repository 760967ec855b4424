package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// children are the parts that `up` has started. They end with it, however it ends.
type children struct {
	dir     string
	self    string
	running map[string]*exec.Cmd
	exited  chan string
}

func newChildren(dir string) (*children, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &children{dir: dir, self: self, running: map[string]*exec.Cmd{}, exited: make(chan string, 16)}, nil
}

// start runs one part of this program with its output in DIR/PART.log.
func (c *children) start(part string, args ...string) error {
	log, err := os.Create(c.log(part))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.self, append([]string{part}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", part, err)
	}
	c.running[part] = cmd
	go func() {
		err := cmd.Wait()
		c.exited <- fmt.Sprintf("%s ended (%v)", part, err)
	}()
	return nil
}

// stop kills every child at once: nothing that they hold is worth a clean end.
func (c *children) stop() {
	for _, cmd := range c.running {
		_ = cmd.Process.Kill()
	}
	for range c.running {
		<-c.exited
	}
	c.running = map[string]*exec.Cmd{}
}

func (c *children) pids() map[string]int {
	pids := map[string]int{}
	for part, cmd := range c.running {
		pids[part] = cmd.Process.Pid
	}
	return pids
}

func (c *children) log(part string) string { return filepath.Join(c.dir, part+".log") }

// lastLines says what a part wrote before it ended.
func (c *children) lastLines(part string) string {
	data, _ := os.ReadFile(c.log(part))
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// freePorts gives ports that nobody listens on now. They are all held until the last is known, so
// that they differ.
func freePorts(count int) ([]int, error) {
	ports := make([]int, 0, count)
	for range count {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
