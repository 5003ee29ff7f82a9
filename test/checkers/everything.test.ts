import { readEnvironment } from "../../infra/config/environment-file";

test("the environment with every part is valid, has a tenant and what makes a Secret writable", () => {
  const { environment } = readEnvironment(__dirname, "everything");
  expect(environment.tenants).toHaveLength(1);
  expect(environment.table.synced).not.toEqual([]);
  expect(environment.database).toMatchObject({ mode: "development" });
});
