/** Asks again until the answer is yes, and fails with the wish when that takes too long. */
export async function until(wish, deadlineMs, isSo) {
  const deadline = Date.now() + deadlineMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`within ${deadlineMs} ms it should be that ${wish}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
