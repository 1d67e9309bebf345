package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// files gives the questions of the test data that BuildKit keeps in files: the Dockerfiles of the parser's tests, the
// words of the shell package.
func files(root string, each func(row) error) error {
	for _, folder := range []string{"parser/testfiles", "parser/testfiles-negative", "parser/testfile-line"} {
		found, err := filepath.Glob(filepath.Join(root, folder, "*", "Dockerfile"))
		if err != nil {
			return err
		}
		if folder == "parser/testfile-line" {
			found = []string{filepath.Join(root, folder, "Dockerfile")}
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			r := row{Table: filepath.Join("frontend/dockerfile", folder), Kind: "text", Question: string(text)}
			if want, err := os.ReadFile(filepath.Join(filepath.Dir(file), "result")); err == nil {
				dump := strings.TrimSpace(string(want))
				r.Dump = &dump
			}
			if err := each(r); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"envVarTest", "wordsTest"} {
		if err := words(filepath.Join(root, "shell", name), "frontend/dockerfile/shell/"+name, each); err != nil {
			return err
		}
	}
	return nil
}

func words(path, table string, each func(row) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	env := []string{"PWD=/home", "SHELL=bash", "KOREAN=한국어", "NULL="}
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		line := scanner.Text()
		if strings.HasPrefix(line, "ENV ") {
			env = append(env, strings.TrimPrefix(line, "ENV "))
			continue
		}
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		parts := strings.Split(line, "|")
		text := parts[0]
		if len(parts) > 2 {
			text = parts[1]
		}
		q := question{Text: text, Env: env, Escape: "\\"}
		if err := each(row{Table: table, Kind: "word", Question: q}); err != nil {
			return err
		}
	}
	return scanner.Err()
}
