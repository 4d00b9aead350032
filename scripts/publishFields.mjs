// What every published package says of where it comes from, in one place: derived from the repository's address when it is released.

/**
 * @param {string} address of the repository on the web, e.g. `https://github.com/owner/name`
 * @param {string} directory of the package in it
 */
export function publishFields(address, directory) {
  const home = address.replace(/\.git$|\/$/g, "");
  if (!/^https:\/\/[^/]+\/[^/]+\/[^/]+$/.test(home))
    throw new Error(`the repository's address must be https://HOST/OWNER/NAME, got "${address}"`);
  return {
    repository: { type: "git", url: `git+${home}.git`, directory },
    homepage: `${home}/tree/main/${directory}#readme`,
    bugs: { url: `${home}/issues` },
  };
}

/**
 * The repository's address: of the workspace's package.json where that names one, else where CI runs.
 * @param {Record<string, any>} workspace its package.json @param {Record<string, string | undefined>} env
 */
export function repositoryAddress(workspace, env) {
  const told = typeof workspace.repository === "string" ? workspace.repository : workspace.repository?.url;
  if (told !== undefined) return told.replace(/^git\+/, "");
  if (env.GITHUB_SERVER_URL && env.GITHUB_REPOSITORY) return `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}`;
  throw new Error("where is the repository? Name it in package.json (repository), or run under GitHub's CI");
}
