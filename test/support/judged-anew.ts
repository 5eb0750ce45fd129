/** Stands in for `judged` where mutants share a process: the verdict of one would be another's. */
export function judged<T>(judge: (text: string) => T): (text: string) => T {
  return judge
}
