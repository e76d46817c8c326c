// Imported for its effect: ends this process when the one that started it is gone, however that ended. Loaded by the
// network itself, and into the execution client with `node --import`.

const parent = process.ppid;

setInterval(() => {
  // An orphan is given to another parent. SIGTERM rather than an exit: who has something to tidy up does so.
  if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
}, 300).unref();
