// Package quota stands in for dockerd's own, which Debian's package of its
// sources leaves out. It is for a filesystem without project quotas.
package quota

import "errors"

// ErrQuotaNotSupported is what dockerd's drivers compare with.
var ErrQuotaNotSupported = errors.New("the filesystem has no project quota")

// Quota limits a folder.
type Quota struct{ Size uint64 }

// Control sets limits; here there is never one.
type Control struct{}

// NewControl refuses, as dockerd's does where the filesystem cannot limit.
func NewControl(string) (*Control, error) { return nil, ErrQuotaNotSupported }

// SetQuota refuses.
func (*Control) SetQuota(string, Quota) error { return ErrQuotaNotSupported }

// GetQuota refuses.
func (*Control) GetQuota(string, *Quota) error { return ErrQuotaNotSupported }
