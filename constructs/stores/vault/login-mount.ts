/** Path of the auth mount at which pods log in, without `auth/`. In a file without Pulumi, which no operator's command loads. */
export function mountOfLogin({ mount = "kubernetes" }: { readonly mount?: string }): string {
  return mount;
}
