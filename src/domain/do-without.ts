/** Advice to who is refused an object and does not need it. */
export function doWithout(object: string): string {
  return `To do without ${object}, put it under \`exclude\` in the configuration file: \`exclude: [${object}]\`.`;
}
