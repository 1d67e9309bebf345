package main

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// node is where an instruction stands and what stands above and below it.
type node struct {
	Lines    [2]int    `json:"lines"`
	Comments []string  `json:"comments,omitempty"`
	Heredocs []heredoc `json:"heredocs,omitempty"`
}

type heredoc struct {
	Name    string `json:"name"`
	Content string `json:"content"`
	Expand  bool   `json:"expand"`
	Chomp   bool   `json:"chomp"`
	FD      uint   `json:"fd"`
}

func nodes(ast *parser.Node) []node {
	all := []node{}
	for _, child := range ast.Children {
		n := node{Lines: [2]int{child.StartLine, child.EndLine}, Comments: child.PrevComment}
		for _, h := range child.Heredocs {
			n.Heredocs = append(n.Heredocs, heredoc{h.Name, h.Content, h.Expand, h.Chomp, h.FileDescriptor})
		}
		all = append(all, n)
	}
	return all
}

// typed gives every instruction with its parts, in the order of the file.
func typed(stages []instructions.Stage, args []instructions.ArgCommand) []any {
	all := []any{}
	for _, arg := range args {
		all = append(all, command(&arg))
	}
	for _, stage := range stages {
		all = append(all, map[string]any{"from": stage.BaseName, "name": stage.Name, "platform": stage.Platform})
		for _, c := range stage.Commands {
			all = append(all, command(c))
		}
	}
	return all
}

func pairs(kind string, list instructions.KeyValuePairs) map[string]any {
	all := [][2]string{}
	legacy := false
	for _, p := range list {
		all = append(all, [2]string{p.Key, p.Value})
		legacy = legacy || p.NoDelim
	}
	return map[string]any{kind: all, "legacy": legacy}
}

func line(kind string, c instructions.ShellDependantCmdLine) map[string]any {
	words := c.CmdLine
	if words == nil {
		words = []string{}
	}
	return map[string]any{kind: words, "shell": c.PrependShell}
}

func sourcesAndDest(kind string, s instructions.SourcesAndDest, rest map[string]any) map[string]any {
	contents := [][3]any{}
	for _, c := range s.SourceContents {
		contents = append(contents, [3]any{c.Path, c.Data, c.Expand})
	}
	rest[kind] = append([]string{}, s.SourcePaths...)
	rest["contents"] = contents
	rest["to"] = s.DestPath
	return rest
}

func list(words []string) []string {
	return append([]string{}, words...)
}

func command(c instructions.Command) map[string]any {
	switch c := c.(type) {
	case *instructions.ArgCommand:
		all := [][2]any{}
		for _, a := range c.Args {
			var value any
			if a.Value != nil {
				value = *a.Value
			}
			all = append(all, [2]any{a.Key, value})
		}
		return map[string]any{"arg": all}
	case *instructions.EnvCommand:
		return pairs("env", c.Env)
	case *instructions.LabelCommand:
		return pairs("label", c.Labels)
	case *instructions.MaintainerCommand:
		return map[string]any{"maintainer": c.Maintainer}
	case *instructions.WorkdirCommand:
		return map[string]any{"workdir": c.Path}
	case *instructions.UserCommand:
		return map[string]any{"user": c.User}
	case *instructions.StopSignalCommand:
		return map[string]any{"stopsignal": c.Signal}
	case *instructions.VolumeCommand:
		return map[string]any{"volume": list(c.Volumes)}
	case *instructions.ExposeCommand:
		return map[string]any{"expose": list(c.Ports)}
	case *instructions.ShellCommand:
		return map[string]any{"shell": list(c.Shell)}
	case *instructions.OnbuildCommand:
		return map[string]any{"onbuild": c.Expression}
	case *instructions.CmdCommand:
		return line("cmd", c.ShellDependantCmdLine)
	case *instructions.EntrypointCommand:
		return line("entrypoint", c.ShellDependantCmdLine)
	case *instructions.HealthCheckCommand:
		h := c.Health
		return map[string]any{
			"healthcheck": list(h.Test), "interval": h.Interval, "timeout": h.Timeout,
			"start_period": h.StartPeriod, "start_interval": h.StartInterval, "retries": h.Retries,
		}
	case *instructions.AddCommand:
		return sourcesAndDest("add", c.SourcesAndDest, map[string]any{
			"chown": c.Chown, "chmod": c.Chmod, "link": c.Link, "exclude": list(c.ExcludePatterns),
			"keep_git_dir": c.KeepGitDir, "checksum": c.Checksum, "unpack": c.Unpack,
		})
	case *instructions.CopyCommand:
		return sourcesAndDest("copy", c.SourcesAndDest, map[string]any{
			"from": c.From, "chown": c.Chown, "chmod": c.Chmod, "link": c.Link,
			"exclude": list(c.ExcludePatterns), "parents": c.Parents,
		})
	case *instructions.RunCommand:
		run := line("run", c.ShellDependantCmdLine)
		files := [][3]any{}
		for _, f := range c.Files {
			files = append(files, [3]any{f.Name, f.Data, f.Chomp})
		}
		run["files"] = files
		run["network"] = instructions.GetNetwork(c)
		run["security"] = instructions.GetSecurity(c)
		run["mounts"] = mounts(c)
		return run
	}
	return map[string]any{"unknown": c.Name()}
}

// mounts gives the mounts of a RUN with every variable left as it is, or why they are refused.
func mounts(c *instructions.RunCommand) any {
	if err := c.Expand(func(word string) (string, error) { return word, nil }); err != nil {
		return err.Error()
	}
	all := []any{}
	for _, m := range instructions.GetMounts(c) {
		all = append(all, map[string]any{
			"type": string(m.Type), "from": m.From, "source": m.Source, "target": m.Target, "ro": m.ReadOnly, "size": m.SizeLimit,
			"id": m.CacheID, "sharing": strings.ToLower(string(m.CacheSharing)), "required": m.Required, "env": m.Env,
			"mode": m.Mode, "uid": m.UID, "gid": m.GID,
		})
	}
	return all
}
