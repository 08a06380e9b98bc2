package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/docker/docker/daemon/graphdriver"
	"golang.org/x/sys/unix"
)

// job is one thing to do; which fields matter is said at each job below.
type job struct {
	Job     string
	ID      string
	Parent  string
	Tars    []string
	Count   int
	Callers int
}

// answer says how long the job took, and what came of it.
type answer struct {
	Seconds float64
	// Processor time of this process and, behind a socket, of the plugin.
	Processor float64
	Bytes     int64
	Count     int
	Mount     string `json:",omitempty"`
	Err       string `json:",omitempty"`
}

func (j job) run(driver graphdriver.Driver, side side) (answer, error) {
	work, found := map[string]func(graphdriver.Driver, *answer) error{
		"create":   j.create,
		"apply":    j.apply,
		"diff":     j.diff,
		"diffsize": j.diffSize,
		"changes":  j.changes,
		"chain":    j.chain,
		"cycle":    j.cycle,
		"getput":   j.getPut,
		"exists":   j.exists,
		"get":      j.get,
		"put":      j.put,
		"touch":    j.touch,
		"remove":   j.remove,
	}[j.Job]
	if !found {
		return answer{}, fmt.Errorf("no such job")
	}
	if err := settle(side.home); err != nil {
		return answer{}, err
	}
	result := answer{}
	before, err := processorTime(side.pid)
	if err != nil {
		return result, err
	}
	start := time.Now()
	err = work(driver, &result)
	result.Seconds = time.Since(start).Seconds()
	after, _ := processorTime(side.pid)
	result.Processor = (after - before).Seconds()
	return result, err
}

// settle leaves neither dirty pages nor garbage of an earlier job to this one.
func settle(home string) error {
	runtime.GC()
	folder, err := os.Open(home)
	if err != nil {
		return err
	}
	defer folder.Close()
	return unix.Syncfs(int(folder.Fd()))
}

// create makes a layer ID on Parent.
func (j job) create(driver graphdriver.Driver, _ *answer) error {
	return driver.Create(j.ID, j.Parent, nil)
}

// apply applies the one tar to a layer that create made.
func (j job) apply(driver graphdriver.Driver, result *answer) (err error) {
	result.Bytes, err = applyFile(driver, j.ID, j.Parent, j.Tars[0])
	return err
}

// chain creates one layer per tar, each on the one before, named ID-0, ID-1, …
func (j job) chain(driver graphdriver.Driver, result *answer) error {
	parent := j.Parent
	for n, tar := range j.Tars {
		id := fmt.Sprintf("%s-%d", j.ID, n)
		if err := driver.Create(id, parent, nil); err != nil {
			return err
		}
		size, err := applyFile(driver, id, parent, tar)
		if err != nil {
			return err
		}
		result.Bytes += size
		parent = id
	}
	return nil
}

func applyFile(driver graphdriver.Driver, id, parent, tar string) (int64, error) {
	file, err := os.Open(tar)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	// A plain reader, as dockerd's is: nothing may copy file to file.
	return driver.ApplyDiff(id, parent, struct{ io.Reader }{file})
}

// diff reads the layer tar of ID against Parent to its end. Closing is left out:
// moby's naive diff sleeps there to the next whole second.
func (j job) diff(driver graphdriver.Driver, result *answer) error {
	tar, err := driver.Diff(j.ID, j.Parent)
	if err != nil {
		return err
	}
	result.Bytes, err = io.Copy(io.Discard, struct{ io.Reader }{tar})
	go tar.Close()
	return err
}

func (j job) diffSize(driver graphdriver.Driver, result *answer) (err error) {
	result.Bytes, err = driver.DiffSize(j.ID, j.Parent)
	return err
}

func (j job) changes(driver graphdriver.Driver, result *answer) error {
	changes, err := driver.Changes(j.ID, j.Parent)
	result.Count = len(changes)
	return err
}

// cycle is what `docker run --rm` asks of a driver, Count times over Parent,
// by so many Callers at once.
func (j job) cycle(driver graphdriver.Driver, _ *answer) error {
	return j.atOnce(func(n int) error {
		id := fmt.Sprintf("%s-%d", j.ID, n)
		if err := driver.CreateReadWrite(id, j.Parent, nil); err != nil {
			return err
		}
		if err := getAndPut(driver, id); err != nil {
			return err
		}
		return driver.Remove(id)
	})
}

func (j job) getPut(driver graphdriver.Driver, _ *answer) error {
	return j.atOnce(func(int) error { return getAndPut(driver, j.ID) })
}

func getAndPut(driver graphdriver.Driver, id string) error {
	if _, err := driver.Get(id, ""); err != nil {
		return err
	}
	return driver.Put(id)
}

func (j job) exists(driver graphdriver.Driver, _ *answer) error {
	return j.atOnce(func(int) error {
		if !driver.Exists(j.ID) {
			return fmt.Errorf("is gone")
		}
		return nil
	})
}

func (j job) atOnce(work func(n int) error) error {
	callers := j.Callers
	if callers == 0 {
		callers = 1
	}
	failures := make([]error, callers)
	var all sync.WaitGroup
	for caller := 0; caller < callers; caller++ {
		all.Add(1)
		go func(caller int) {
			defer all.Done()
			for n := caller; n < j.Count && failures[caller] == nil; n += callers {
				failures[caller] = work(n)
			}
		}(caller)
	}
	all.Wait()
	for _, failure := range failures {
		if failure != nil {
			return failure
		}
	}
	return nil
}

func (j job) get(driver graphdriver.Driver, result *answer) error {
	mount, err := driver.Get(j.ID, "")
	if err != nil {
		return err
	}
	result.Mount = mount.Path()
	return nil
}

func (j job) put(driver graphdriver.Driver, _ *answer) error {
	return driver.Put(j.ID)
}

// touch rewrites every file of the layer whose turn it is, one in Count.
func (j job) touch(driver graphdriver.Driver, result *answer) error {
	mount, err := driver.Get(j.ID, "")
	if err != nil {
		return err
	}
	defer driver.Put(j.ID)
	turn := 0
	return filepath.Walk(mount.Path(), func(path string, entry os.FileInfo, err error) error {
		if err != nil || !entry.Mode().IsRegular() {
			return err
		}
		turn++
		if turn%j.Count != 0 {
			return nil
		}
		result.Count++
		return os.WriteFile(path, []byte(path), entry.Mode())
	})
}

// remove deletes the layer ID, or with a Count the chain of that length.
func (j job) remove(driver graphdriver.Driver, _ *answer) error {
	if j.Count == 0 {
		return driver.Remove(j.ID)
	}
	for n := j.Count - 1; n >= 0; n-- {
		if err := driver.Remove(fmt.Sprintf("%s-%d", j.ID, n)); err != nil {
			return err
		}
	}
	return nil
}
