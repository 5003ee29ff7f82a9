import { describeLoad, loadProblem, storeLoad } from "../../../../constructs/stores/azure-key-vault/load";

test("each publication of each pod reads each object once", () => {
  // 3 pods with 5 secrets each, every 5 s: 15 × 17,280 a day.
  expect(storeLoad({ objects: 15, pods: 3, everySeconds: 5 })).toEqual({
    getsPerDay: 259_200,
    loginsPerDay: 155_520,
    getsAtOnce: 30,
  });
});

test("kubelet's own pace costs a GET a minute", () => {
  expect(storeLoad({ objects: 1, pods: 1, everySeconds: 60 })).toMatchObject({ getsPerDay: 1440, getsAtOnce: 1 });
});

test("the plan says what it costs", () => {
  const publications = { objects: 15, pods: 3, everySeconds: 25 };
  expect(describeLoad(publications, true)).toBe(
    "51,840 GETs of Key Vault a day, and 31,104 calls to Entra ID (15 secrets of all pods, every 25 s); at most 15 in 10 s, of " +
      "the 4,000 that Key Vault serves",
  );
  expect(describeLoad(publications, false)).not.toContain("Entra");
});

test("what Key Vault serves is no problem, and one more is", () => {
  expect(loadProblem({ objects: 2000, pods: 20, everySeconds: 5 })).toBeUndefined();
  expect(loadProblem({ objects: 2001, pods: 20, everySeconds: 5 })).toBe(
    "every 5s: 2,001 secrets of all pods × 2 publications in 10 s = 4,002 GETs, and Key Vault serves 4,000 in 10 s",
  );
  expect(loadProblem({ objects: 4001, pods: 20, everySeconds: 60 })).toBe(
    "every 60s: 4,001 secrets of all pods × 1 publication in 10 s = 4,001 GETs, and Key Vault serves 4,000 in 10 s",
  );
});
