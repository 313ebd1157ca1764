import torch
import torch.nn.functional as F
from torch import nn


class plain_cae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({
            "0": nn.Conv2d(1, 32, 3, padding=1),
            "3": nn.Conv2d(32, 64, 3, padding=1),
            "6": nn.Conv2d(64, 128, 3, padding=1),
        })
        self.decoder = nn.ModuleDict({
            "0": nn.ConvTranspose2d(128, 64, 3, stride=2),
            "2": nn.ConvTranspose2d(64, 32, 3, stride=2),
            "4": nn.ConvTranspose2d(32, 1, 3, padding=1),
        })

    def forward(self, x):
        x = F.relu(self.encoder["3"](F.max_pool2d(F.relu(self.encoder["0"](x)), 2)))
        x = F.pad(F.conv_transpose2d(F.relu(self.encoder["6"](F.max_pool2d(x, 2))), self.decoder["0"].weight, None, 2, 0, 0, 1), (0, -1, 0, -1)) + self.decoder["0"].bias.view(-1, 1, 1)
        x = F.pad(F.conv_transpose2d(F.relu(x), self.decoder["2"].weight, None, 2, 0, 0, 1), (0, -1, 0, -1)) + self.decoder["2"].bias.view(-1, 1, 1)
        return torch.sigmoid(self.decoder["4"](F.relu(x)))


def load(path="plain-cae.pt"):
    model = plain_cae()
    model.load_state_dict(torch.load(path))
    return model.eval()
