export declare function findRedis(): string | undefined
export declare function findPostgres(): string | undefined
export declare function findChromium(): string | undefined
export declare function provide(names: ("redis" | "postgres" | "chromium")[]): void
