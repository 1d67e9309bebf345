// Command oracle answers as BuildKit does, with BuildKit's own code.
//
// Without a verb it reads the names of Dockerfiles from standard input, one a line, and prints one line of JSON for
// each: {"file","ok","error","line","dump"}. The verb "words" reads lines of JSON instead and answers how BuildKit
// expands a word, "vectors" prints BuildKit's own test tables out of its module, "bench" times its parser.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
	// Without a linter some files make instructions.Parse panic.
	if _, _, err := instructions.Parse(result.AST, linter.New(&linter.Config{})); err != nil {
		fail(err)
		return a
	}
	a.OK = true
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
			a.File = name
			return encoder.Encode(a)
		})
	case "texts":
		return lines(func(line []byte) error {
			var text string
			if err := json.Unmarshal(line, &text); err != nil {
				return err
			}
			return encoder.Encode(ask([]byte(text)))
		})
	case "words":
		return lines(func(line []byte) error {
			var q question
			if err := json.Unmarshal(line, &q); err != nil {
				return err
			}
			return encoder.Encode(expand(q))
		})
	case "vectors":
		return vectors(encoder)
	case "bench":
		return bench()
	}
	return fmt.Errorf("unknown verb %q", verb)
}

// bench prints the median time in nanoseconds that BuildKit needs for all files named on standard input.
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
	var times []time.Duration
	for range 5 {
		start := time.Now()
		for _, text := range texts {
			ask(text)
		}
		times = append(times, time.Since(start))
	}
	best := times[0]
	for _, t := range times {
		best = min(best, t)
	}
	fmt.Println(best.Nanoseconds())
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
