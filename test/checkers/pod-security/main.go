// Checks the pod templates on standard input, a JSON list, against Pod Security's restricted level.
package main

import (
	"encoding/json"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type forbidden struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

type result struct {
	Passed    int         `json:"passed"`
	Forbidden []forbidden `json:"forbidden"`
}

func main() {
	var templates []corev1.PodTemplateSpec
	if err := json.NewDecoder(os.Stdin).Decode(&templates); err != nil {
		log.Fatal(err)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		log.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	results := []result{}
	for _, template := range templates {
		one := result{Forbidden: []forbidden{}}
		for _, check := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
			if check.Allowed {
				one.Passed++
				continue
			}
			one.Forbidden = append(one.Forbidden, forbidden{check.ForbiddenReason, check.ForbiddenDetail})
		}
		results = append(results, one)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}
