extension PhysicalPlan {
    /// Whether PostgreSQL could run such a plan backward: its cursors may then go back without SCROLL.
    var mayRunBackward: Bool { isPureRead && Self.mayRunBackward(root) }

    private static func mayRunBackward(_ node: PlanNode) -> Bool {
        switch node.operation {
        case .scan, .function, .commonTable, .sort, .materialize: true
        // One row is a Result's.
        case .values(let values): values.rows.count > 1
        case .filter(let child, _), .limit(let child, _, _): mayRunBackward(child)
        case .project(let project):
            project.setReturning.isEmpty && mayRunBackward(project.child)
        case .setOperation(let node):
            node.operation == .union && node.all && mayRunBackward(node.left)
                && mayRunBackward(node.right)
        default: false
        }
    }
}
