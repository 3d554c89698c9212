extension PlanNode {
    /// Direct inputs.
    public var children: [PlanNode] {
        switch operation {
        case .result, .values, .scan, .function, .commonTable: return []
        case .filter(let child, _), .limit(let child, _, _), .materialize(let child),
            .window(let child):
            return [child]
        case .project(let node): return [node.child]
        case .join(let node): return [node.left, node.right]
        case .aggregate(let node): return [node.child]
        case .sort(let node): return [node.child]
        case .distinct(let node): return [node.child]
        case .setOperation(let node): return [node.left, node.right]
        case .lockRows(let node): return [node.child]
        case .insert(let node): return [node.child]
        case .update(let node): return [node.child]
        case .delete(let node): return [node.child]
        case .merge(let node): return [node.child]
        }
    }
}
