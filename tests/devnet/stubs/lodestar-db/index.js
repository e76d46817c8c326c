// Stands in for @lodestar/db and its native LevelDB: the light-client server imports one file that derives a class from
// `Repository` and never makes an instance of it here. What it stores lies in maps (../../light-client.js).
export class Repository {}
