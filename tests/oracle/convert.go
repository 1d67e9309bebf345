package main

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// build asks what image a Dockerfile makes.
type build struct {
	Text   string            `json:"text"`
	Target string            `json:"target"`
	Args   map[string]string `json:"args"`
}

type image struct {
	Error  *string `json:"error"`
	Config any     `json:"config"`
}

// bases answers for every image with one configuration, so that no registry is asked.
type bases struct{}

const baseConfig = `{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin","BASE=1"],"WorkingDir":"/base","User":"base","Cmd":["base"]},"rootfs":{"type":"layers","diff_ids":[]}}`

func (bases) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, digest.FromString(ref), []byte(baseConfig), nil
}

func convert(q build) image {
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	caps := pb.Caps.CapSet(pb.Caps.All())
	result, err := dockerfile2llb.Dockerfile2LLB(context.Background(), []byte(q.Text), dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{Target: q.Target, BuildArgs: q.Args, BuildPlatforms: []ocispecs.Platform{platform}},
		TargetPlatform: &platform,
		MetaResolver:   bases{},
		LLBCaps:        &caps,
	})
	if err != nil {
		message := err.Error()
		return image{Error: &message}
	}
	c := result.Image.Config
	// No working directory is the root, and so it is said.
	if c.WorkingDir == "/" {
		c.WorkingDir = ""
	}
	// Only Windows knows it.
	c.ArgsEscaped = false
	dt, err := json.Marshal(c)
	if err != nil {
		message := err.Error()
		return image{Error: &message}
	}
	var config map[string]any
	if err := json.Unmarshal(dt, &config); err != nil {
		message := err.Error()
		return image{Error: &message}
	}
	if c.Healthcheck != nil {
		config["Healthcheck"] = c.Healthcheck.Test
	}
	return image{Config: config}
}
