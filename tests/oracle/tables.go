package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	dockerfile "github.com/moby/buildkit/frontend/dockerfile/command"
)

// item is a text in the source of one of BuildKit's tests, with the place where it stands.
type item struct {
	// The function or variable it stands in, and the field, key, variable or call it belongs to.
	decl, field string
	text        string
	// The texts of the fields beside it, and the maps and lists of texts among them.
	beside map[string]string
	pairs  map[string][]string
}

// row is a question of a table.
type row struct {
	Table    string `json:"table"`
	Kind     string `json:"kind"`
	Question any    `json:"question"`
	// What BuildKit's test wants for a dump.
	Dump *string `json:"dump,omitempty"`
}

// table tells how questions are made of the texts of one test.
type table struct {
	file, decl string
	// Only texts of this field, if it is not empty.
	field string
	kind  string
	make  func(item) []any
}

// as puts the text into a Dockerfile.
func as(forms ...string) func(item) []any {
	return func(i item) []any {
		var all []any
		for _, form := range forms {
			all = append(all, strings.ReplaceAll(form, "%s", i.text))
		}
		return all
	}
}

// pattern makes words that use the text as a pattern.
func pattern(i item) []any {
	var all []any
	for _, form := range []string{"${X#%s}", "${X##%s}", "${X%%s}", "${X%%%s}", "${X/%s/-}", "${X//%s/-}"} {
		word := strings.Replace(form, "%s", i.text, 1)
		all = append(all, question{word, []string{"X=*?aab\\*c(){}^$.|xc*abb👽🚀🖖"}, "\\"})
	}
	return all
}

// word makes a word, and asks with each list or map of variables.
func word(i item) []any {
	env := i.pairs["envs"]
	if env == nil {
		env = []string{}
	}
	return []any{question{i.text, env, "\\"}, question{i.text, env, "`"}}
}

// with asks with lists of variables.
func with(envs ...string) func(item) []any {
	return func(i item) []any {
		var all []any
		for _, env := range envs {
			all = append(all, question{i.text, strings.Split(env, " "), "\\"})
		}
		return all
	}
}

// whole takes texts that are Dockerfiles.
func whole(i item) []any {
	if strings.Contains(i.text, "FROM ") || strings.Contains(i.text, "ARG ") {
		return []any{i.text}
	}
	return nil
}

func tables() []table {
	json := as("SHELL %s", "FROM a\nCMD %s", "FROM a\nCOPY %s", "FROM a\nVOLUME %s", "FROM a\nONBUILD RUN %s")
	all := []table{
		{"shell/lex_test.go", "TestConvertShellPatternToRegex", "", "word", pattern},
		{"shell/lex_test.go", "TestReverseString", "", "word", pattern},
		{"shell/lex_test.go", "TestReversePattern", "", "word", pattern},
		{"shell/lex_test.go", "TestShellParserMandatoryEnvVars", "noEmpty", "word", with("VAR=plain ARG=x", "VAR= ARG=x", "ARG=x")},
		{"shell/lex_test.go", "TestShellParserMandatoryEnvVars", "noUnset", "word", with("VAR=plain ARG=x", "VAR= ARG=x", "ARG=x")},
		{"shell/lex_test.go", "TestGetEnv", "", "word", func(i item) []any {
			env := append([]string{}, i.pairs["beside"]...)
			return []any{question{"$foo-$car", env, "\\"}, question{"${foo?}${car?}", env, "\\"}}
		}},
		{"shell/lex_test.go", "TestProcessWithMatches", "input", "word", word},
		{"shell/lex_test.go", "TestProcessWithMatchesPlatform", "release", "word", with(
			"VERSION=v1.2.3 TARGETOS=linux TARGETARCH=arm TARGETVARIANT=v7",
			"VERSION=v1.2.3 TARGETOS=linux TARGETARCH=arm64 TARGETVARIANT=",
			"VERSION=v1.2.3 TARGETOS=linux TARGETARCH=arm64")},
		{"parser/json_test.go", "invalidJSONArraysOfStrings", "", "text", json},
		{"parser/json_test.go", "validJSONArraysOfStrings", "key", "text", json},
		{"parser/parser_heredoc_test.go", "TestParseExtractsHeredoc", "", "text", whole},
		{"parser/parser_heredoc_test.go", "TestParseJSONHeredoc", "", "text", whole},
		{"parser/parser_heredoc_test.go", "TestHeredocChomp", "content", "text", as("FROM a\nCOPY <<-EOF /b\n%sEOF\n")},
		{"parser/parser_heredoc_test.go", "TestParseHeredocHelpers", "", "text", as(
			"FROM a\nRUN %s\nx\nEOF\n", "FROM a\nRUN cat 3%s > b\n\tx\n\tEOF\n", "FROM a\nCOPY %s /b\nx\nEOF\n", "FROM a\nONBUILD ADD %s /b\nx\nEOF\n")},
		{"parser/parser_heredoc_test.go", "TestHeredocsFromLine", "line", "text", as("FROM a\n%s\nx\nEOF\nEOF2\n-EOF\n")},
		{"parser/parser_test.go", "TestParseWords", "element", "text", as("ARG %s", "FROM a\nENV %s", "FROM a\nLABEL a=b %s", "FROM a\nEXPOSE %s")},
		{"parser/parser_test.go", "TestParseWarnsOnEmptyContinutationLine", "", "text", whole},
		{"parser/line_parsers_test.go", "", "parseNameVal", "text", as("FROM a\nLABEL %s", "FROM a\nENV %s", "ARG %s")},
		{"parser/directives_test.go", "", "", "directives", as("%s", "\ufeff%s", "\r\n%s", "#!x\n%s", " %s")},
		{"parser/directives_test.go", "", "", "text", as("%s", "\ufeff%sFROM a\n")},
		{"instructions/bflag_test.go", "TestBuilderFlags", "element", "text", func(i item) []any {
			real := strings.NewReplacer("bool1", "link", "bool2", "parents", "bool3", "lonk", "bool4", "x", "str1", "chown", "str2", "chmod")
			flags := real.Replace(strings.Join(i.pairs["beside"], " "))
			return []any{"FROM a\nCOPY " + flags + " b c", "FROM a\nADD " + flags + " b c", "FROM a\nRUN " + flags + " b"}
		}},
		{"instructions/commands_rundevice_test.go", "TestParseDevice", "input", "text", as("FROM a\nRUN --device=%s b")},
		{"instructions/parse_heredoc_test.go", "", "dockerfile", "text", as("%s", "FROM a\n%s")},
		{"instructions/parse_test.go", "TestCommandsExactlyOneArgument", "element", "text", as("%s", "FROM a\n%s", "FROM a\n%s  ", "FROM a\n%s b c")},
		{"instructions/parse_test.go", "TestCommandsAtLeastOneArgument", "element", "text", as("%s", "FROM a\n%s", "FROM a\n%s b")},
		{"instructions/parse_test.go", "TestCommandsNoDestinationArgument", "element", "text", as("%s arg1", "FROM a\n%s arg1", "FROM a\n%s [\"arg1\"]")},
		{"instructions/parse_test.go", "TestCommandsTooManyArguments", "element", "text", as("FROM a\n%s arg1 arg2 arg3")},
		{"instructions/parse_test.go", "TestCommandsBlankNames", "element", "text", as("FROM a\n%s =arg2", "FROM a\n%s a=b =arg2")},
		{"instructions/parse_test.go", "TestHealthCheckCmd", "Value", "text", as("FROM a\nHEALTHCHECK CMD %s world")},
		{"instructions/parse_test.go", "TestParseOptInterval", "Value", "text", as(
			"FROM a\nHEALTHCHECK --interval=%s CMD b", "FROM a\nHEALTHCHECK --timeout=%s --start-period=%s --start-interval=%s CMD b", "FROM a\nHEALTHCHECK --retries=%s CMD b")},
		{"instructions/parse_test.go", "TestNilLinter", "element", "text", func(i item) []any {
			var all []any
			for _, name := range slices.Sorted(maps.Keys(dockerfile.Commands)) {
				all = append(all, "FROM busybox\n"+name+i.text)
			}
			return all
		}},
		{"instructions/parse_test.go", "TestCommentsDetection", "dt", "text", as("%s")},
		{"instructions/parse_test.go", "TestErrorCases", "dockerfile", "text", as("%s", "FROM a\n%s")},
		{"instructions/parse_test.go", "TestRunCmdFlagsUsed", "dockerfile", "text", as("%s", "FROM a\n%s")},
		{"instructions/support_test.go", "initTestCases", "element", "text", func(i item) []any {
			words := i.pairs["beside"]
			return []any{"FROM a\nCMD " + strings.Join(words, " "), "FROM a\nENTRYPOINT [\"" + strings.Join(words, "\", \"") + "\"]"}
		}},
		{"dockerfile2llb/convert_expose_test.go", "", "spec", "image", exposed},
		{"dockerfile2llb/convert_expose_test.go", "", "parsePort", "image", exposed},
		{"dockerfile2llb/convert_expose_test.go", "", "element", "image", exposed},
		{"dfgitutil/git_ref_test.go", "", "ref", "source", references},
		{"../../util/gitutil/git_url_test.go", "TestParseURL", "url", "source", references},
		{"../../source/git/identifier_test.go", "TestNewGitIdentifier", "url", "source", references},
	}
	for _, decl := range []string{"TestDockerfileParsing", "TestDockerfileParsingMarshal", "TestCopyFromKeepsStageLabels", "TestDockerfileCircularDependencies"} {
		all = append(all, table{"dockerfile2llb/convert_test.go", decl, "df", "image", func(i item) []any { return []any{build{Text: i.text}} }})
	}
	return all
}

// exposed asks for the ports of a word, and of small changes of it.
func exposed(i item) []any {
	var all []any
	for _, form := range as("%s", "%s/UDP", "x%s", "[%s", "%s-1", "0:%s", "1-3:%s", "[::1]%s", "1.2.3.4:%s")(i) {
		all = append(all, build{Text: "FROM scratch\nEXPOSE " + form.(string)})
	}
	return all
}

// references are texts of git references, and small changes of them.
func references(i item) []any {
	forms := []string{"%s", "%s?", "%s#", "%s#v1:a/../../b", "%s?tag=v1", "%s&x=1", "%s?keep-git-dir&submodules=false", "%s?commit=1;2", "%s#%zz", "%s%2egit", "%s?branch=a+b%20c", "x%s"}
	return as(forms...)(i)
}

// items finds the texts of a test file.
func items(path string) ([]item, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil, err
	}
	var all []item
	for _, decl := range file.Decls {
		var names []string
		switch d := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					names = append(names, v.Names[0].Name)
				}
			}
		}
		if len(names) == 0 {
			continue
		}
		c := collector{decl: names[0]}
		c.walk(decl, "", nil, nil)
		all = append(all, c.all...)
	}
	return all, nil
}

type collector struct {
	decl string
	all  []item
}

// value is the text of a constant expression. A variable in a sum counts as nothing.
func value(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.BinaryExpr:
		left, l := value(e.X)
		right, r := value(e.Y)
		return left + right, e.Op == token.ADD && (l || r)
	}
	return "", false
}

func (c *collector) add(field, text string, beside map[string]string, pairs map[string][]string) {
	c.all = append(c.all, item{c.decl, field, text, beside, pairs})
}

func (c *collector) walk(n ast.Node, field string, beside map[string]string, pairs map[string][]string) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.CompositeLit:
			c.composite(n, field, beside, pairs)
			return false
		case *ast.AssignStmt:
			for i, right := range n.Rhs {
				name := field
				if i < len(n.Lhs) {
					if ident, ok := n.Lhs[i].(*ast.Ident); ok {
						name = ident.Name
					} else if selector, ok := n.Lhs[i].(*ast.SelectorExpr); ok {
						name = selector.Sel.Name
					}
				}
				c.walk(right, name, beside, pairs)
			}
			return false
		case *ast.ValueSpec:
			for i, v := range n.Values {
				c.walk(v, n.Names[min(i, len(n.Names)-1)].Name, beside, pairs)
			}
			return false
		case *ast.CallExpr:
			name := field
			switch f := n.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			// Conversions and readers hand their text on.
			if slices.Contains([]string{"NewBufferString", "NewReader", "NewBuffer", "append"}, name) {
				name = field
			}
			if name == "Run" || name == "Equal" && field == "" {
				// Names of tests, and expectations.
				for _, a := range n.Args {
					if _, ok := value(a); !ok {
						c.walk(a, name, beside, pairs)
					}
				}
				return false
			}
			c.walk(n.Fun, name, beside, pairs)
			for _, a := range n.Args {
				c.walk(a, name, beside, pairs)
			}
			return false
		case ast.Expr:
			if text, ok := value(n); ok {
				c.add(field, text, beside, pairs)
				return false
			}
		}
		return true
	})
}

func (c *collector) composite(n *ast.CompositeLit, field string, outer map[string]string, outerPairs map[string][]string) {
	beside, pairs := map[string]string{}, map[string][]string{}
	for _, element := range n.Elts {
		switch e := element.(type) {
		case *ast.KeyValueExpr:
			ident, ok := e.Key.(*ast.Ident)
			if !ok {
				continue
			}
			if text, ok := value(e.Value); ok {
				beside[ident.Name] = text
			}
			if inner, ok := e.Value.(*ast.CompositeLit); ok {
				pairs[ident.Name] = texts(inner)
			}
		default:
			if text, ok := value(element); ok {
				pairs["beside"] = append(pairs["beside"], text)
			}
		}
	}
	first := true
	for _, element := range n.Elts {
		switch e := element.(type) {
		case *ast.KeyValueExpr:
			if text, ok := value(e.Key); ok {
				c.add("key", text, beside, pairs)
				c.walk(e.Value, "element", beside, pairs)
			} else if ident, ok := e.Key.(*ast.Ident); ok {
				c.walk(e.Value, ident.Name, beside, pairs)
			}
		default:
			if text, ok := value(element); ok {
				name := "element"
				if field == "Args" && !first {
					// A list of flags is one question.
					continue
				}
				c.add(name, text, beside, pairs)
				first = false
			} else {
				c.walk(element, field, beside, pairs)
			}
		}
	}
	_, _ = outer, outerPairs
}

// texts are the texts of a list, or the pairs of a map as `key=value`.
func texts(n *ast.CompositeLit) []string {
	all := []string{}
	for _, element := range n.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			key, k := value(pair.Key)
			text, t := value(pair.Value)
			if k && t {
				all = append(all, key+"="+text)
			}
		} else if text, ok := value(element); ok {
			all = append(all, text)
		}
	}
	return all
}

func moduleFolder(name string) (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", name).Output()
	if err != nil {
		return "", fmt.Errorf("cannot find the module %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// rows gives the questions that BuildKit's own tests ask.
func rows(each func(row) error) error {
	root, err := moduleFolder("github.com/moby/buildkit")
	if err != nil {
		return err
	}
	root = filepath.Join(root, "frontend", "dockerfile")
	if err := files(root, each); err != nil {
		return err
	}
	found := map[string][]item{}
	for _, t := range tables() {
		if _, ok := found[t.file]; !ok {
			if found[t.file], err = items(filepath.Join(root, t.file)); err != nil {
				return err
			}
		}
		seen := map[string]bool{}
		for _, i := range found[t.file] {
			if t.decl != "" && t.decl != i.decl || t.field != "" && t.field != i.field {
				continue
			}
			for _, q := range t.make(i) {
				key, _ := json.Marshal(q)
				if seen[string(key)] {
					continue
				}
				seen[string(key)] = true
				name := filepath.Join("frontend/dockerfile", t.file)
				if t.decl != "" {
					name += " " + t.decl
				}
				if err := each(row{Table: name, Kind: t.kind, Question: q}); err != nil {
					return err
				}
			}
		}
		if len(seen) == 0 {
			return fmt.Errorf("no question found in %s %s %s", t.file, t.decl, t.field)
		}
	}
	if err := patterns(each); err != nil {
		return err
	}
	return integration(root, each)
}

// integration gives the Dockerfiles of the tests that run builds.
func integration(root string, each func(row) error) error {
	files, err := filepath.Glob(filepath.Join(root, "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		found, err := items(file)
		if err != nil {
			return err
		}
		for _, kind := range []string{"text", "image"} {
			for _, i := range found {
				// Some are forms that a test fills in.
				if !strings.Contains(i.text, "FROM ") || !strings.Contains(i.text, "\n") || strings.Contains(i.text, "%") {
					continue
				}
				r := row{Table: filepath.Join("frontend/dockerfile", filepath.Base(file)), Kind: kind, Question: i.text}
				if kind == "image" {
					r.Question = build{Text: i.text}
				}
				if err := each(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
