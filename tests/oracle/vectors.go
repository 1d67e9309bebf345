package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// vectors prints BuildKit's own test data as questions with BuildKit's answers, one line of JSON each: the Dockerfiles
// of the parser's tests as {"dockerfile", "want"}, the tables of the shell package as {"text", "env", "escape"}.
func vectors(encoder *json.Encoder) error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/moby/buildkit").Output()
	if err != nil {
		return fmt.Errorf("cannot find BuildKit's module: %w", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "frontend", "dockerfile")
	for _, pattern := range []string{"parser/testfiles/*", "parser/testfiles-negative/*", "parser/testfile-line"} {
		folders, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		for _, folder := range folders {
			text, err := os.ReadFile(filepath.Join(folder, "Dockerfile"))
			if err != nil {
				return err
			}
			vector := map[string]any{"dockerfile": string(text), "name": filepath.Base(folder)}
			if want, err := os.ReadFile(filepath.Join(folder, "result")); err == nil {
				vector["want"] = strings.TrimSpace(string(want))
			}
			if err := encoder.Encode(vector); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"envVarTest", "wordsTest"} {
		file, err := os.Open(filepath.Join(root, "shell", name))
		if err != nil {
			return err
		}
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
			if name == "envVarTest" && len(parts) > 1 {
				text = parts[1]
			}
			if err := encoder.Encode(question{Text: text, Env: env, Escape: "\\"}); err != nil {
				return err
			}
		}
		file.Close()
		if err := scanner.Err(); err != nil {
			return err
		}
	}
	return nil
}
