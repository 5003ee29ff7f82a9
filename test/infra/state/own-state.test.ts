import { ofNoRun } from "../../../infra/state/own-state";

test("the command line that reads the state is no part of the run that asks it", () => {
  const kept = { PATH: "/bin", PULUMI_BACKEND_URL: "file:///state", PULUMI_CONFIG_PASSPHRASE_FILE: "/run/passphrase" };
  const ofRun = { PULUMI_LOG_OTLP_ENDPOINT: "127.0.0.1:4317", PULUMI_NODEJS_ENGINE: "127.0.0.1:40697" };
  expect(ofNoRun({ ...kept, ...ofRun })).toEqual(kept);
});
