// One of them is installed, as an optional dependency; each is an addon.
declare module '@ferronext/*'
