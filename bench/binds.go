package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// atOnce is how many people log in, or bind, at the same time.
const atOnce = 4

// bindWork is what the binding role is told.
type bindWork struct {
	URL    string // ldaps://host:port
	CAFile string
	DN     string
	Count  int // accounts
}

// done is what became of some seconds of work.
type done struct {
	Count   int64
	Seconds float64
}

func (d done) perSecond() float64 { return float64(d.Count) / d.Seconds }

// playBinds does for a login what no login can do without: a fresh LDAPS
// connection, one bind, the end of the connection. It is asked with a number
// of milliseconds, again and again.
func playBinds(in *json.Decoder, out *json.Encoder) error {
	var work bindWork
	if err := in.Decode(&work); err != nil {
		return err
	}
	pem, err := os.ReadFile(work.CAFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", work.CAFile)
	}
	secured := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if err := out.Encode("ready"); err != nil {
		return err
	}
	next := 0
	for {
		var ms int
		if err := in.Decode(&ms); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		result, err := during(context.Background(), time.Duration(ms)*time.Millisecond, atOnce, func(_, i int) error {
			return work.bind((next+i)%work.Count, secured)
		})
		if err != nil {
			return err
		}
		next += int(result.Count)
		if err := out.Encode(result); err != nil {
			return err
		}
	}
}

func (w bindWork) bind(account int, secured *tls.Config) error {
	conn, err := ldap.DialURL(w.URL, ldap.DialWithTLSConfig(secured))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetTimeout(5 * time.Second)
	return conn.Bind(fmt.Sprintf(w.DN, accountName(account)), accountPassword)
}

// during has so many workers repeat work for some time. Work is told which
// worker does it, and its number, counted over all of them. The first error
// ends all of it: a rate with failures in it is no rate.
func during(ctx context.Context, d time.Duration, workers int, work func(worker, i int) error) (done, error) {
	var count, number atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	started := time.Now()
	for worker := range workers {
		all.Go(func() {
			for time.Since(started) < d && failed.Load() == nil && ctx.Err() == nil {
				if err := work(worker, int(number.Add(1)-1)); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				count.Add(1)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return done{}, *err
	}
	if err := ctx.Err(); err != nil {
		return done{}, err
	}
	return done{count.Load(), time.Since(started).Seconds()}, nil
}
