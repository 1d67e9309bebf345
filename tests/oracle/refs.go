package main

import (
	"errors"
	"net/url"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
)

// source is what BuildKit takes a source of ADD for. Pointers that are nil stand for parts that are not there.
type source struct {
	Kind        string `json:"kind"`
	Error       string `json:"error,omitempty"`
	Name        string `json:"name,omitempty"`
	Remote      string `json:"remote,omitempty"`
	Ref         string `json:"ref,omitempty"`
	Checksum    string `json:"checksum,omitempty"`
	Subdir      string `json:"subdir,omitempty"`
	KeepGitDir  *bool  `json:"keep_git_dir,omitempty"`
	Submodules  *bool  `json:"submodules,omitempty"`
	MTime       string `json:"mtime,omitempty"`
	ByCommit    bool   `json:"fetch_by_commit,omitempty"`
	Local       bool   `json:"like_local,omitempty"`
	Unencrypted bool   `json:"unencrypted,omitempty"`
}

// sources gives the different answers to one question: BuildKit goes through a query in an order of chance.
func sources(text string) []source {
	first := classify(text)
	all := []source{first}
	if first.Kind != "error" && first.Checksum == "" {
		return all
	}
	seen := map[string]bool{first.Error + "\x00" + first.Checksum: true}
	for range 200 {
		s := classify(text)
		key := s.Error + "\x00" + s.Checksum
		if !seen[key] {
			seen[key] = true
			all = append(all, s)
		}
	}
	return all
}

// classify does as dispatchCopy in dockerfile2llb/convert_copy.go.
func classify(text string) source {
	ref, isGit, err := dfgitutil.ParseGitRef(text)
	if err != nil && isGit {
		return source{Kind: "error", Error: innermost(err)}
	}
	if err == nil {
		kind := "git"
		if ref.IndistinguishableFromLocal {
			kind = "path"
		}
		return source{
			Kind: kind, Remote: ref.Remote, Ref: ref.Ref, Checksum: ref.Checksum, Subdir: ref.SubDir,
			KeepGitDir: ref.KeepGitDir, Submodules: ref.Submodules, MTime: ref.MTime, ByCommit: ref.FetchByCommit,
			Local: ref.IndistinguishableFromLocal, Unencrypted: ref.UnencryptedTCP,
		}
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		name := "__unnamed__"
		if u, err := url.Parse(text); err == nil {
			if base := path.Base(u.Path); base != "." && base != "/" {
				name = base
			}
		}
		return source{Kind: "http", Name: name}
	}
	return source{Kind: "path"}
}

// innermost is the message of the error that all others wrap.
func innermost(err error) string {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}
