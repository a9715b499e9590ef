"""The two towers: feature vectors to unit vectors of 256 numbers, made of several heads that stand side by side.

| head | reads | says |
|---|---|---|
| content, several | numerics, tags, performers | what this user looks for next |
| videos (preset `hybrid`) | which videos were liked and NOPEd; the video itself | the same, from company kept |
| taste | as content, and the video itself under `hybrid` | LIKE or NOPE, once it is looked at |
| popularity | how much the video is liked lately, the same for all users | what everybody looks for |

Popularity is counted and not fitted: sparse users are told by it more than by their one or two decisions. Every other
head is a unit vector fitted by a loss of its own, so heads err differently and their mean errs less than one
head of all the width (Lakshminarayanan et al., NeurIPS 2017). The embedding lays them behind one another, each
scaled by the root of its share: its cosine is the weighted mean of the heads' cosines, and a tower stays one vector
that any index can search. What does not live here: the heads themselves (`heads`), how towers are fitted (`loss`,
`trainer`) or stored (`checkpoint`). Letters in tensor names: B batch, F features, V video vocabulary, H retrieval
heads, P parts (all heads), D embedding (256).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from two_tower_assets.contract import EMBEDDING_DIM, ITEM_NUMERIC, USER_NUMERIC
from two_tower_assets.settings import ModelSettings
from two_tower_assets.training.bags import SparseFeatures
from two_tower_assets.training.dropout import Dropout
from two_tower_assets.training.heads import START_SCALE, ContentHead, VideoWeights

USER_NUMERIC_WIDTH: Final = len(USER_NUMERIC) + 1
"""The user numerics and `hour_of_day`."""
ITEM_NUMERIC_WIDTH: Final = len(ITEM_NUMERIC)

TEMPERATURE_BOUNDS: Final = (0.01, 1.0)
"""Outside these a softmax over cosines is either one-hot or nearly uniform, and its gradient vanishes."""

POPULARITY_SIZE: Final = 2
"""Numbers of the popularity part: the value, and what makes the length 1."""

_TINY_NORM: Final = 1e-12
_TASTE_SCALE: Final = 5.0
"""Start of the factor from a cosine to log-odds."""


class Tower(nn.Module):
    """What both towers share: heads to parts of length 1, parts to one embedding.

    Args:
        width: number of input features.
        content_width: how many of them the content heads read.
        numeric_width: how many of these are numerics.
        settings: heads, widths and dropout.
        hybrid: whether there is a head of videos.
    """

    blend_P: Tensor
    everybody_P: Tensor
    """The popularity part of every user, [2]."""

    def __init__(
        self, width: int, content_width: int, numeric_width: int, settings: ModelSettings, *, hybrid: bool
    ) -> None:
        super().__init__()
        self.width = width
        self.content_width = content_width
        sizes = head_sizes(settings, hybrid=hybrid)
        content = sizes[: settings.heads]
        self.content = nn.ModuleList(ContentHead(content_width, numeric_width, size, settings) for size in content)
        self.taste = ContentHead(content_width, numeric_width, sizes[-2], settings)
        self.register_buffer("blend_P", even_blend(len(sizes)))
        self.register_buffer("everybody_P", torch.tensor([1.0, 0.0]))

    @property
    def heads(self) -> range:
        """Numbers of the heads: those of content, that of videos under `hybrid`, taste."""
        return range(len(self.blend_P) - 1)

    def blended(self, parts: Sequence[Tensor]) -> Tensor:
        """Lay parts of length 1 behind one another: float32 [B, 256] of length 1."""
        return torch.cat([part * share for part, share in zip(parts, self.blend_P, strict=True)], dim=1)


class UserTower(Tower):
    """`user_features` to `user_embedding`.

    Args:
        width: number of user features, the two bags of videos last.
        videos: size of the vocabulary of videos, 0 under the preset `content`.
        settings: shape of the tower.
    """

    def __init__(self, width: int, videos: int, settings: ModelSettings) -> None:
        super().__init__(width, width - 2 * videos, USER_NUMERIC_WIDTH, settings, hybrid=videos > 0)
        self.videos: nn.Module | None = None
        if videos:
            size = head_sizes(settings, hybrid=True)[-3]
            bags = nn.Linear(2 * videos, size)
            nn.init.normal_(bags.weight, std=START_SCALE)
            self.videos = nn.Sequential(Dropout(settings.bag_dropout), bags)

    def part(self, features: Tensor | SparseFeatures, head: int) -> Tensor:
        """Return what a head says, float32 [B, size] of length 1.

        Args:
            features: with their zeros, or without where there is no head of videos.
            head: one of `heads`.
        """
        (module,) = self.modules_of(head)
        if self.videos is None:
            return _unit(module(features))
        assert isinstance(features, Tensor)
        content_BF, bags_BV = features[:, : self.content_width], features[:, self.content_width :]
        return _unit(module(bags_BV if module is self.videos else content_BF))

    def modules_of(self, head: int) -> list[nn.Module]:
        """What a head is made of."""
        videos = [] if self.videos is None else [self.videos]
        return [[*self.content, *videos, self.taste][head]]

    def forward(self, features_BF: Tensor) -> Tensor:
        """Return float32 [B, 256] of length 1."""
        everybody_BP = self.everybody_P.expand(features_BF.shape[0], POPULARITY_SIZE)
        return self.blended([*(self.part(features_BF, head) for head in self.heads), everybody_BP])


class ItemTower(Tower):
    """`item_features`, and under `hybrid` the video's place in the vocabulary, to the video's embedding.

    Args:
        width: number of item features.
        videos: size of the vocabulary of videos, 0 under the preset `content`.
        settings: shape of the tower.
    """

    def __init__(self, width: int, videos: int, settings: ModelSettings) -> None:
        super().__init__(width, width, ITEM_NUMERIC_WIDTH, settings, hybrid=videos > 0)
        self.videos: VideoWeights | None = None
        self.taste_of_video: VideoWeights | None = None
        if videos:
            *_, size, taste, _ = head_sizes(settings, hybrid=True)
            self.videos = VideoWeights(videos, size, settings.video_dropout)
            self.taste_of_video = VideoWeights(videos, taste, settings.video_dropout)

    def part(self, features: Tensor | SparseFeatures, slot_B: Tensor, head: int) -> Tensor:
        """Return what a head says, float32 [B, size] of length 1.

        Args:
            features: with their zeros or without.
            slot_B: as for `forward`.
            head: one of `heads`.
        """
        said = [module(slot_B if isinstance(module, VideoWeights) else features) for module in self.modules_of(head)]
        return _unit(torch.stack(said).sum(dim=0) if len(said) > 1 else said[0])

    def modules_of(self, head: int) -> list[nn.Module]:
        """What a head is made of, added up."""
        made_of: list[list[nn.Module]] = [[module] for module in self.content]
        if self.videos is not None and self.taste_of_video is not None:
            made_of += [[self.videos], [self.taste, self.taste_of_video]]
        else:
            made_of += [[self.taste]]
        return made_of[head]

    def forward(self, features_BF: Tensor, slot_B: Tensor, popularity_B: Tensor) -> Tensor:
        """Return float32 [B, 256] of length 1.

        Args:
            features_BF: `item_features`.
            slot_B: int64, place in the vocabulary of videos, `NO_SLOT` (−1) for none.
            popularity_B: float32 in −1…1, `popularity.Popularity.value`.
        """
        rest_B = torch.sqrt(torch.clamp(1 - popularity_B**2, min=0.0))
        parts = [self.part(features_BF, slot_B, head) for head in self.heads]
        return self.blended([*parts, torch.stack([popularity_B, rest_B], dim=1)])


class TwoTower(nn.Module):
    """A user tower, an item tower, and what turns their cosines into logits.

    Args:
        user_dim: width of `user_features`.
        item_dim: width of `item_features`.
        settings: shape of both towers.
        videos: size of the vocabulary of videos, 0 under the preset `content`.
        temperature: where the learned temperatures start.
    """

    half_life_days: Tensor

    def __init__(
        self, user_dim: int, item_dim: int, settings: ModelSettings, *, videos: int = 0, temperature: float = 0.07
    ) -> None:
        super().__init__()
        self.settings = settings
        self.user = UserTower(user_dim, videos, settings)
        self.item = ItemTower(item_dim, videos, settings)
        heads = len(head_sizes(settings, hybrid=videos > 0)) - 2
        self.log_temperature_H = nn.Parameter(torch.full((heads,), math.log(temperature)))
        self.log_taste_scale = nn.Parameter(torch.tensor(math.log(_TASTE_SCALE)))
        self.register_buffer("half_life_days", torch.tensor(1.0))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.log_temperature_H.device

    @property
    def temperature(self) -> float:
        """Mean softmax temperature of the retrieval heads."""
        return float(torch.exp(self.log_temperature_H.detach()).mean())

    @property
    def taste_head(self) -> int:
        """Number of the last head; those before it are for retrieval."""
        return len(self.log_temperature_H)

    @property
    def log_scales(self) -> list[Tensor]:
        """What makes logits of each head's cosines: of retrieval the log of the temperature, of taste of a factor."""
        return [*self.log_temperature_H, self.log_taste_scale]

    def parameters_of(self, head: int) -> list[nn.Parameter]:
        """Weights of a head in both towers; no other head has any of them."""
        modules = [*self.user.modules_of(head), *self.item.modules_of(head)]
        return [parameter for module in modules for parameter in module.parameters()]

    @torch.no_grad()
    def set_blend(
        self,
        *,
        taste_weight: float = 0.0,
        popularity_weight: float = 0.0,
        popularity_scale: float = 0.0,
        half_life_days: float = 1.0,
    ) -> None:
        """Blend the parts so that the cosine orders as a weighted sum of logits.

        Mean retrieval logit + `taste_weight` · log-odds of a LIKE + `popularity_weight` · log fading popularity. The
        first two with weight 1 are the log-probability of being looked at and liked.

        Args:
            taste_weight: 0 leaves taste out.
            popularity_weight: 0 leaves popularity out.
            popularity_scale: log-popularity of a step of 1 of what the item tower is given.
            half_life_days: of that popularity; kept with the weights.
        """
        self.half_life_days.fill_(half_life_days)
        further = torch.stack(
            [taste_weight * torch.exp(self.log_taste_scale), torch.tensor(popularity_weight * popularity_scale)]
        )
        shares_P = torch.cat([self._retrieval_shares(), further])
        blend_P = torch.sqrt(shares_P / shares_P.sum())
        self.user.blend_P.copy_(blend_P)
        self.item.blend_P.copy_(blend_P)

    def _retrieval_shares(self) -> Tensor:
        """[H] how much a cosine of each retrieval head counts in the mean logit."""
        heads = len(self.log_temperature_H)
        weight_H = torch.full((heads,), 1 / heads)
        if self.user.videos is not None:
            weight_H[-1] = self.settings.video_share
            weight_H[:-1] = (1 - self.settings.video_share) / (heads - 1)
        return weight_H * torch.exp(-self.log_temperature_H.detach())


@torch.no_grad()
def bounded_temperature(log_temperature: Tensor) -> None:
    """Put temperatures back between their bounds; called after each optimiser step.

    A projection, and not a clamp in the forward pass, because a clamped value has no gradient to return by.
    """
    low, high = TEMPERATURE_BOUNDS
    log_temperature.clamp_(math.log(low), math.log(high))


def head_sizes(settings: ModelSettings, *, hybrid: bool) -> tuple[int, ...]:
    """Numbers of each part: content heads, head of videos under `hybrid`, taste, popularity; 256 together."""
    videos = (settings.video_size,) if hybrid else ()
    left = EMBEDDING_DIM - settings.taste_size - sum(videos) - POPULARITY_SIZE
    size, more = divmod(left, settings.heads)
    content = tuple(size + (head < more) for head in range(settings.heads))
    return (*content, *videos, settings.taste_size, POPULARITY_SIZE)


def even_blend(parts: int) -> Tensor:
    """Equal shares, float32 [P], of length 1."""
    return torch.full((parts,), 1 / math.sqrt(parts))


def _unit(part_BD: Tensor) -> Tensor:
    return nn.functional.normalize(part_BD, dim=1, eps=_TINY_NORM)
