/** What brings a context that the kubeconfig has not. */
export function howToGetContext(name: string): string {
  const [, kind] = /^kind-(.+)$/.exec(name) ?? [];
  return kind === undefined
    ? "set KUBECONFIG to the file that has it, or pass --config kubeContext=NAME"
    : `\`kind create cluster --name ${kind}\` makes it; or pass --config kubeContext=NAME with one of your own`;
}
