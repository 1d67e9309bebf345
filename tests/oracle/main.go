// Command oracle answers as BuildKit does, with BuildKit's own code.
//
// Without a verb it reads the names of Dockerfiles from standard input, one a line, and prints one line of JSON for
// each: {"file","ok","error","line","dump"}. The verb "tables" prints the questions of BuildKit's own tests, taken out of
// its module, as lines {"table","kind","question"}; "ask" reads such lines and answers them, "bench" times the parser, and
// "lint" reads names too and prints {"file","error","rules"}: what BuildKit's checks find.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

type answer struct {
	File  string  `json:"file"`
	OK    bool    `json:"ok"`
	Error *string `json:"error"`
	Line  *int    `json:"line"`
	Dump  *string `json:"dump"`
	Nodes []node  `json:"nodes,omitempty"`
	Typed []any   `json:"typed,omitempty"`
}

// ask parses one file: first into nodes, then into instructions.
func ask(text []byte) answer {
	var a answer
	fail := func(err error) {
		message := err.Error()
		a.Error = &message
		var located *parser.LocationError
		if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
			line := located.Locations[0][0].Start.Line
			a.Line = &line
		}
	}
	result, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		fail(err)
		return a
	}
	dump := result.AST.Dump()
	a.Dump = &dump
	a.Nodes = nodes(result.AST)
	// Without a linter some files make instructions.Parse panic.
	stages, args, err := instructions.Parse(result.AST, linter.New(&linter.Config{}))
	if err != nil {
		fail(err)
		return a
	}
	a.OK = true
	a.Typed = typed(stages, args)
	return a
}

func lines(each func(line []byte) error) error {
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(make([]byte, 1<<20), 1<<30)
	for scanner.Scan() {
		if err := each(scanner.Bytes()); err != nil {
			return err
		}
	}
	return scanner.Err()
}

func run() error {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	verb := ""
	if len(os.Args) > 1 {
		verb = os.Args[1]
	}
	switch verb {
	case "":
		return lines(func(line []byte) error {
			name := string(line)
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			a := ask(text)
			a.File, a.Nodes, a.Typed = name, nil, nil
			return encoder.Encode(a)
		})
	case "lint":
		return lines(func(line []byte) error {
			name := string(line)
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			return encoder.Encode(lint(name, text))
		})
	case "ask":
		return lines(func(line []byte) error {
			var q struct {
				Kind     string          `json:"kind"`
				Question json.RawMessage `json:"question"`
			}
			if err := json.Unmarshal(line, &q); err != nil {
				return err
			}
			a, err := reply(q.Kind, q.Question)
			if err != nil {
				return err
			}
			return encoder.Encode(a)
		})
	case "tables":
		return rows(func(r row) error { return encoder.Encode(r) })
	case "bench":
		return bench()
	}
	return fmt.Errorf("unknown verb %q", verb)
}

// reply answers a question of a kind.
func reply(kind string, raw json.RawMessage) (any, error) {
	var text string
	switch kind {
	case "text", "directives", "source":
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, err
		}
	}
	switch kind {
	case "text":
		return ask([]byte(text)), nil
	case "directives":
		return detect([]byte(text)), nil
	case "source":
		return sources(text), nil
	case "word":
		var q question
		err := json.Unmarshal(raw, &q)
		return expand(q), err
	case "image":
		var q build
		err := json.Unmarshal(raw, &q)
		return convert(q), err
	case "ignore":
		var q ignored
		err := json.Unmarshal(raw, &q)
		return match(q), err
	}
	return nil, fmt.Errorf("unknown kind %q", kind)
}

// directive is what a file says of its syntax or its checks.
type directive struct {
	Reference   string `json:"reference"`
	CommandLine string `json:"command_line"`
	Line        int    `json:"line"`
}

func detect(text []byte) map[string]*directive {
	all := map[string]*directive{}
	found := func(key string, reference, line string, at []parser.Range, ok bool) {
		all[key] = nil
		if ok {
			all[key] = &directive{reference, line, at[0].Start.Line}
		}
	}
	reference, line, at, ok := parser.DetectSyntax(text)
	found("syntax", reference, line, at, ok)
	reference, line, at, ok = parser.ParseDirective("check", text)
	found("check", reference, line, at, ok)
	return all
}

// bench prints the time that BuildKit needs for all files named on standard input; it must accept them.
func bench() error {
	var texts [][]byte
	err := lines(func(line []byte) error {
		text, err := os.ReadFile(string(line))
		texts = append(texts, text)
		return err
	})
	if err != nil {
		return err
	}
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	var times []time.Duration
	for range 15 {
		start := time.Now()
		for _, text := range texts {
			result, err := parser.Parse(bytes.NewReader(text))
			if err == nil {
				_, _, err = instructions.Parse(result.AST, linter.New(&linter.Config{}))
			}
			if err != nil {
				return err
			}
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	milliseconds := func(t time.Duration) float64 { return float64(t.Microseconds()) / 1e3 }
	fmt.Printf("%d files, %.1f MB, %d passes: fastest %.1f ms, median %.1f ms\n",
		len(texts), float64(size)/1e6, len(times), milliseconds(times[0]), milliseconds(times[len(times)/2]))
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
