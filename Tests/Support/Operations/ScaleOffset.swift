internal import AviaryGraph

extension OperationRow {
  package static let scaleOffset: [OperationRow] = [
    .init(.scale(Scale([255])), #"{"values":255}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .scale(Scale([1, 0.5, -2])), #"{"values":[1,0.5,-2]}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.offset(Offset([-0.5])), #"{"values":-0.5}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.offset(Offset([1, 2, 3])), #"{"values":[1,2,3]}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
  ]
}
