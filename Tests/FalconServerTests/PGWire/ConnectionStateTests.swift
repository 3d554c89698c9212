import Testing

@testable import FalconServer

@Suite struct ConnectionStateTests {
    private func started() -> ConnectionState {
        var state = ConnectionState()
        state.started()
        return state
    }

    @Test func endings() {
        var state = started()
        #expect(state.receive(.query) == .process)
        #expect(!state.acceptsMessage)
        #expect(state.finished() == .readyForQuery)
        #expect(state.receive(.extended) == .process)
        #expect(state.finished() == .nothing)
        #expect(state.receive(.sync) == .process)
        #expect(state.finished() == .readyForQuery)
        #expect(state.finished() == .nothing)
    }

    @Test func skipping() {
        var state = started()
        _ = state.receive(.extended)
        #expect(state.failed() == .nothing)
        for input in [.extended, .query, .flush, .functionCall, .copyData]
            as [ConnectionState.Input]
        {
            #expect(state.receive(input) == .ignore)
        }
        #expect(state.receive(.sync) == .process)
        #expect(state.failed() == .readyForQuery)
        #expect(!state.isSkippingToSync)
        #expect(state.receive(.terminate) == .close)
    }

    @Test func copy() {
        var state = started()
        _ = state.receive(.query)
        state.beganCopyIn()
        #expect(state.acceptsMessage)
        #expect(state.receive(.sync) == .ignore)
        #expect(state.receive(.copyData) == .process)
        #expect(!state.acceptsMessage)
        state.beganCopyIn()
        #expect(state.receive(.extended) == .failCopy)
        #expect(state.failed() == .readyForQuery)
        #expect(state.receive(.copyDone) == .ignore)
    }
}
