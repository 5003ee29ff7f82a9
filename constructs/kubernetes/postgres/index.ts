export { DevelopmentPostgres, type DevelopmentPostgresProps } from "./development-postgres";
export { passwordTable } from "./password";
export { PostgresChart, type PostgresChartProps } from "./postgres-chart";
