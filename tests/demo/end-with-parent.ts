/** Loaded into a child that knows nothing of the demo: ends it in good order when the demo is gone, however it went. */

process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Listening must not keep the child alive when it wants to end by itself.
process.channel?.unref();
