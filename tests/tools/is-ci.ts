/** Whether nothing may be skipped: on a user's machine tests are left out by name whose real parts cannot be had, here that is an error. */

export function isCi(env: NodeJS.ProcessEnv): boolean {
  return env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
}
