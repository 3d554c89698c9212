import FalconSchema

/// A record of a set-returning function's columns, which is its text, and whose fields can be taken.
final class RecordExpression: BoundExpression, @unchecked Sendable {
    let text: BoundExpression
    let fields: [(name: String, expression: BoundExpression)]

    init(_ text: BoundExpression, fields: [(name: String, expression: BoundExpression)]) {
        self.text = text
        self.fields = fields
        super.init(type: text.type, location: text.location)
    }

    override func evaluate(_ row: RowContext) throws(SQLError) -> Datum { try text.evaluate(row) }
    override var children: [BoundExpression] { [text] }
    /// The fields are the binder's: they are taken before anything is rewritten.
    override func withChildren(_ children: [BoundExpression]) -> BoundExpression {
        RecordExpression(children.first ?? text, fields: fields)
    }
    override func hasSameForm(as other: BoundExpression) -> Bool { true }
}
