/**
 * Who reads what this process prints (a pipe to a logger) may end before it does. Node would end the process at
 * its next line but one; a server has better to do, and there is nobody left to tell.
 */
export function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore)
  }
}

function ignore(): void {}
