import GraftFormats
import GraftLayers
import GraftTensor

/// A tensor with its tail is one tensor in a file, and one that is pruned is smaller there.
extension PlannedTensor {
    /// Its shape in a file, and its numbers where they are not those in memory.
    func saved(
        _ values: UnsafePointer<Float>, withPruned: Bool
    ) throws(GraftError) -> (shape: [Int], numbers: Memory?) {
        guard let ranks, !withPruned else { return (savedShape, try savedNumbers(values)) }
        let kept = ranks.of.kept(values)
        var shape = shape
        guard kept.count < shape[ranks.axis] else { return (shape, nil) }
        let own = Matrix(
            UnsafeMutablePointer(mutating: values) + parameter.offset, rows: shape[0], columns: shape[1])
        shape[ranks.axis] = kept.count
        let memory = try Memory(byteCount: 4 * shape[0] * shape[1])
        let file = Matrix(memory.floats(), rows: shape[0], columns: shape[1])
        for (place, rank) in kept.enumerated() {
            if ranks.axis == 0 {
                own.rows(from: rank, count: 1).copy(to: file.rows(from: place, count: 1))
            } else {
                own.columns(from: rank, count: 1).copy(to: file.columns(from: place, count: 1))
            }
        }
        return (shape, memory)
    }

    /// As a file has it.
    var savedShape: [Int] {
        guard let tail else { return shape }
        var whole = shape
        whole[tail.axis] *= 2
        return whole
    }

    /// Both from an adapter's numbers; nil without a tail.
    func savedNumbers(_ values: UnsafePointer<Float>) throws(GraftError) -> Memory? {
        guard let tail else { return nil }
        let memory = try Memory(byteCount: 8 * parameter.count)
        eachRow(tail) { own, whole, width in
            (memory.floats() + whole).update(from: values + parameter.offset + own, count: width)
            let start = memory.floats() + whole + (tail.axis == 0 ? parameter.count : width)
            for index in 0..<width {
                let number = values[tail.parameter.offset + own + index]
                start[index] = tail.isNegated ? -number : number
            }
        }
        return memory
    }

    /// Takes the tail out of both, as another adapter has them.
    func restoreTail(_ values: UnsafeMutablePointer<Float>, from saved: UnsafePointer<Float>) {
        guard let tail else { return }
        eachRow(tail) { own, whole, width in
            let start = saved + whole + (tail.axis == 0 ? parameter.count : width)
            for index in 0..<width {
                values[tail.parameter.offset + own + index] = tail.isNegated ? -start[index] : start[index]
            }
        }
    }

    /// Calls `body` with the places of each row in the tensor and in the whole, and its width.
    private func eachRow(_ tail: TensorTail, _ body: (_ own: Int, _ whole: Int, _ width: Int) -> Void) {
        let width = shape.last ?? 1
        for row in 0..<parameter.count / max(width, 1) {
            body(row * width, row * width * (tail.axis == 0 ? 1 : 2), width)
        }
    }
}

extension AdapterContent {
    /// Takes the numbers that do not learn from the same adapter as it was saved.
    package func restoreTails(from saved: AdapterContent) {
        for tensor in plan.tensors where tensor.tail != nil {
            if let numbers = saved.tensor(tensor.name) { tensor.restoreTail(values, from: numbers) }
        }
    }
}
