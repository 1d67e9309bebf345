package main

import (
	"maps"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// question asks how BuildKit expands a text.
type question struct {
	Text   string   `json:"text"`
	Env    []string `json:"env"`
	Escape string   `json:"escape"`
}

type expansion struct {
	Word       string   `json:"word"`
	WordError  *string  `json:"word_error"`
	Matched    []string `json:"matched"`
	Unmatched  []string `json:"unmatched"`
	Words      []string `json:"words"`
	WordsError *string  `json:"words_error"`
}

func expand(q question) expansion {
	escape := '\\'
	if q.Escape != "" {
		escape = []rune(q.Escape)[0]
	}
	env := shell.EnvsFromSlice(q.Env)
	var e expansion
	result, err := shell.NewLex(escape).ProcessWordWithMatches(q.Text, env)
	if err != nil {
		message := err.Error()
		e.WordError = &message
	} else {
		e.Word = result.Result
		e.Matched = slices.Sorted(maps.Keys(result.Matched))
		e.Unmatched = slices.Sorted(maps.Keys(result.Unmatched))
	}
	words, err := shell.NewLex(escape).ProcessWords(q.Text, env)
	if err != nil {
		message := err.Error()
		e.WordsError = &message
	} else {
		e.Words = words
	}
	return e
}
