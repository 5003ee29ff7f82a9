import { describe as describeResource } from "../../../infra/plan/describe";

const podTemplate = { spec: { containers: [{ image: "healthsamurai/aidboxone:2605" }] } };

it.each([
  {
    type: "kubernetes:apps/v1:Deployment",
    spec: { replicas: 2, template: podTemplate },
    said: "Deployment aidbox/deployment: 2 × healthsamurai/aidboxone:2605",
  },
  {
    type: "kubernetes:apps/v1:Deployment",
    spec: { template: podTemplate },
    said: "Deployment aidbox/deployment: autoscaled × healthsamurai/aidboxone:2605",
  },
  {
    type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    spec: { minReplicas: 2, maxReplicas: 9 },
    said: "HorizontalPodAutoscaler aidbox/deployment: 2 to 9 pods",
  },
  {
    type: "kubernetes:networking.k8s.io/v1:Ingress",
    spec: { rules: [{ host: "aidbox.example.com" }] },
    said: "Ingress aidbox/deployment: aidbox.example.com",
  },
])("$said", ({ type, spec, said }) => {
  const resource = {
    urn: "urn",
    type,
    name: "aidbox/deployment/Resource",
    parent: undefined,
    inputs: { spec },
    dependencies: [],
  };
  expect(describeResource(resource)).toBe(said);
});
