import CGraftKernels
import GraftTensor

extension AdapterContent {
    /// Refuses numbers that are infinite or none at all, such as those that 32 bits do not hold:
    /// what they touch is none either. `place` begins the message.
    package func requireFinite(_ code: GraftError.Code, _ place: String) throws(GraftError) {
        for tensor in plan.tensors {
            let start = values + tensor.parameter.offset
            let index = Int(gk_first_not_finite(Int64(tensor.parameter.count), start))
            guard index >= 0 else { continue }
            throw GraftError(
                code,
                "\(place)tensor \"\(tensor.name)\" has \(start[index]) at \(Self.coordinates(index, tensor.shape)); expected "
                    + "finite numbers of 32 bits")
        }
    }

    /// Of an element, from the slowest to the fastest index.
    private static func coordinates(_ index: Int, _ shape: [Int]) -> [Int] {
        var left = index
        var coordinates: [Int] = []
        for size in shape.reversed() {
            coordinates.append(left % max(size, 1))
            left /= max(size, 1)
        }
        return coordinates.reversed()
    }
}
