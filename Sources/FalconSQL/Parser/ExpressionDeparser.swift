import FalconSchema

/// Syntax trees back to SQL text: how defaults and checks are stored.
public enum ExpressionDeparser {
    public static func text(of expression: AST.Expression) -> String { "" }
}
