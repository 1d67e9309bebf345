package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// ignored asks which paths an ignore file matches.
type ignored struct {
	Text  string   `json:"text"`
	Paths []string `json:"paths"`
}

type matches struct {
	Error   bool     `json:"error"`
	Matched []string `json:"matched"`
}

func match(q ignored) matches {
	patterns, err := ignorefile.ReadAll(strings.NewReader(q.Text))
	if err != nil {
		return matches{Error: true}
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return matches{Error: true}
	}
	m := matches{Matched: []string{}}
	for _, path := range q.Paths {
		ok, err := matcher.MatchesOrParentMatches(path)
		if err != nil {
			return matches{Error: true}
		}
		if ok {
			m.Matched = append(m.Matched, path)
		}
	}
	return m
}

// patterns gives the questions of patternmatcher's own tests: every text as a pattern and as a path.
func patterns(each func(row) error) error {
	root, err := moduleFolder("github.com/moby/patternmatcher")
	if err != nil {
		return err
	}
	for _, name := range []string{"patternmatcher_test.go", "ignorefile/ignorefile_test.go"} {
		found, err := items(filepath.Join(root, name))
		if err != nil {
			return err
		}
		texts := map[string][]string{}
		for _, i := range found {
			if !slices.Contains(texts[i.decl], i.text) {
				texts[i.decl] = append(texts[i.decl], i.text)
			}
		}
		seen := map[string]bool{}
		for _, i := range found {
			text := i.text
			if lines := i.pairs["patterns"]; lines != nil {
				text = strings.Join(lines, "\n")
			}
			if lines := i.pairs["beside"]; lines != nil {
				text = strings.Join(lines, "\n")
			}
			if seen[i.decl+"\x00"+text] {
				continue
			}
			seen[i.decl+"\x00"+text] = true
			q := ignored{Text: text, Paths: slices.DeleteFunc(slices.Clone(texts[i.decl]), func(path string) bool {
				// Paths as a context has them.
				return path == "." || path != filepath.Clean(path) || strings.HasPrefix(path, "/") || strings.HasPrefix(path, "..") || strings.Contains(path, "\n")
			})}
			if err := each(row{Table: "github.com/moby/patternmatcher " + name, Kind: "ignore", Question: q}); err != nil {
				return err
			}
		}
	}
	return nil
}
