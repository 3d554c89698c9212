import FalconSchema

/// SQL text to syntax trees, by PostgreSQL's own grammar (libpg_query).
public enum SQLParser {
    /// All statements of `sql`; empty for blank text. Recently seen texts come from a cache.
    /// Errors: 42601 with PostgreSQL's message and position, 54001 beyond the nesting limit.
    public static func parse(_ sql: String) throws(SQLError) -> [AST.ParsedStatement] {
        throw SQLError(.featureNotSupported, "parser")
    }

    /// A lone expression, as the catalog stores defaults and checks.
    public static func parseExpression(_ sql: String) throws(SQLError) -> AST.Expression {
        throw SQLError(.featureNotSupported, "parser")
    }
}
