// Command peer runs the jobs of Stowage's benches on one graph driver: on one of
// dockerd's own, in this process as dockerd has it, or on a plugin behind a
// socket, through dockerd's own client. So both sides meet the same caller.
//
//	peer jobs  -driver overlay2 -home DIR               a built-in driver
//	peer jobs  -driver NAME -home DIR -socket PATH -pid PID  a plugin
//	peer serve -driver overlay2 -home DIR -socket PATH  a built-in as a plugin
//	peer nothing -socket PATH                a volume plugin that does nothing
//
// Jobs come as lines of JSON on standard input, each answered by one line.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/docker/docker/pkg/reexec"
	"github.com/sirupsen/logrus"
)

func main() {
	// dockerd's drivers extract in a chroot, in a second run of this program.
	if reexec.Init() {
		return
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say jobs, serve or nothing")
	}
	flags := flag.NewFlagSet("peer", flag.ContinueOnError)
	side := side{}
	flags.StringVar(&side.driver, "driver", "overlay2", "graph driver")
	flags.StringVar(&side.home, "home", "", "folder for the layers")
	flags.StringVar(&side.socket, "socket", "", "socket of the plugin")
	flags.IntVar(&side.pid, "pid", 0, "process of the plugin")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	logrus.SetLevel(logrus.ErrorLevel)
	switch args[0] {
	case "jobs":
		return answerJobs(side)
	case "serve":
		return serve(side)
	case "nothing":
		return serveNothing(side.socket)
	}
	return fmt.Errorf("%q is none of jobs, serve and nothing", args[0])
}

func answerJobs(side side) error {
	driver, err := side.open()
	if err != nil {
		return err
	}
	answers := json.NewEncoder(os.Stdout)
	if err := answers.Encode(answer{}); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var job job
		if err := json.Unmarshal(lines.Bytes(), &job); err != nil {
			return err
		}
		answer, err := job.run(driver, side)
		if err != nil {
			answer.Err = fmt.Sprintf("%s %s: %v", job.Job, job.ID, err)
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return driver.Cleanup()
}
