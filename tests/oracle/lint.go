package main

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// lints is what BuildKit's checks (`docker build --check`) find in a file: how often each rule warns.
type lints struct {
	File  string         `json:"file"`
	Error *string        `json:"error"`
	Rules map[string]int `json:"rules"`
}

func lint(name string, text []byte) lints {
	answer := lints{File: name, Rules: map[string]int{}}
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	caps := pb.Caps.CapSet(pb.Caps.All())
	sources := llb.NewSourceMap(nil, name, "Dockerfile", text)
	// The results name the build that the file came from, and there is none.
	sources.Definition = &llb.Definition{}
	results, err := dockerfile2llb.DockerfileLint(context.Background(), text, dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildPlatforms: []ocispecs.Platform{platform}},
		TargetPlatform: &platform,
		MetaResolver:   bases{},
		LLBCaps:        &caps,
		SourceMap:      sources,
	})
	if err != nil {
		message := err.Error()
		answer.Error = &message
		return answer
	}
	for _, warning := range results.Warnings {
		answer.Rules[warning.RuleName]++
	}
	if results.Error != nil {
		answer.Error = &results.Error.Message
	}
	return answer
}
