import { clientSecret, tenantId } from "../../../../azure/fixtures";

const variables = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] as const;

/**
 * Has Azure's SDK take an app for whoever runs the program, by the SDK's own variables.
 *
 * @returns puts the variables back
 */
export function actAs(clientId: string): () => void {
  const saved = variables.map((name) => [name, process.env[name]] as const);
  const values = { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret };
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of saved) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
}
