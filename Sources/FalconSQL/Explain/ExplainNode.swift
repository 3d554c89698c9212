/// One node of a plan as EXPLAIN shows it, in any format.
struct ExplainNode {
    /// A line below the node's first (`Filter: …`), a property in JSON.
    struct Detail {
        enum Value {
            case text(String)
            case list([String])
            case number(Int64)
        }
        var name: String
        var value: Value
        /// Text leaves it out when it says nothing.
        var isInText = true
    }

    /// The first line of its text.
    var title: String
    /// JSON's "Node Type".
    var kind: String
    /// What JSON has before and after the relationship to the node above.
    var traits: [(String, String)] = []
    var identity: [(String, String)] = []
    var details: [Detail] = []
    /// Outer, Inner, Member, InitPlan or SubPlan; empty for the topmost.
    var relationship = ""
    var subplanName: String?
    var startupCost: Double = 0
    var totalCost: Double = 0
    var rows: Double = 0
    var width = 0
    /// Measured by ANALYZE. Nil there: it was never started.
    var counters: NodeCounters?
    var children: [ExplainNode] = []

    init(_ title: String, kind: String? = nil) {
        self.title = title
        self.kind = kind ?? title
    }

    mutating func add(_ name: String, _ text: String) {
        details.append(Detail(name: name, value: .text(text)))
    }
}
