/** What the page asks of the stack, as any client would: PostgREST and a function, with a user's token. */

const RENEW_BEFORE_SECONDS = 60;
const LIKE = "(^|_)like$";
const UNAUTHORIZED = 401;

/** An answer that is none; its message is for the person at the page. */
export class AskError extends Error {
  /** @param {number} status 0 where there was no answer */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The people to choose from. */
export async function people(signal) {
  return (await json("/demo/users", { signal })).users;
}

/** The stack as one signed-in user sees it. */
export class Client {
  #session = null;

  constructor(userId) {
    this.userId = userId;
  }

  /** The newest likes from `offset` on, with their videos, and how many there are. */
  async likes(limit, offset, signal) {
    const query = new URLSearchParams({
      select: "video_id,created_at",
      decision_type: `match.${LIKE}`,
      order: "created_at.desc,video_id",
      limit,
      offset,
    });
    const response = await this.#ask(`/rest/v1/user_video_decisions?${query}`, {
      headers: { prefer: "count=exact" },
      signal,
    });
    const decisions = await response.json();
    const total = Number(response.headers.get("content-range")?.split("/")[1] ?? decisions.length);
    const videos = await this.#videos(decisions.map((decision) => decision.video_id), signal);
    const known = decisions.map((decision) => videos.get(decision.video_id) ?? gone(decision.video_id));
    return { videos: known, total };
  }

  /** A page of recommendations; `page` is where an earlier one ended. */
  async recommendations({ limit, page = null, refresh = false }, signal) {
    const body = {
      user_id: this.userId,
      limit,
      ...(page === null ? {} : { page }),
      ...(refresh ? { refresh_user_embedding: true } : {}),
    };
    const response = await this.#ask("/functions/v1/ai-recommend-v5", {
      method: "POST",
      body: JSON.stringify(body),
      signal,
    });
    return await response.json();
  }

  /** Write a decision as this user; the row-level policies see to it that it is theirs. */
  async decide(videoId, decision) {
    await this.#ask("/rest/v1/user_video_decisions?on_conflict=user_id,video_id", {
      method: "POST",
      headers: { prefer: "resolution=merge-duplicates,return=minimal" },
      body: JSON.stringify({ user_id: this.userId, video_id: videoId, decision_type: decision }),
    });
  }

  /** Take a decision back. */
  async undecide(videoId) {
    const query = new URLSearchParams({ user_id: `eq.${this.userId}`, video_id: `eq.${videoId}` });
    await this.#ask(`/rest/v1/user_video_decisions?${query}`, { method: "DELETE" });
  }

  async #videos(ids, signal) {
    if (ids.length === 0) return new Map();
    const query = new URLSearchParams({
      select: "id,title,maker,price,product_released_at,video_tags(tags(name))",
      id: `in.(${ids.join(",")})`,
    });
    const rows = await (await this.#ask(`/rest/v1/videos?${query}`, { signal })).json();
    const named = ({ video_tags: links, ...video }) => ({
      ...video,
      tags: links.map(({ tags }) => tags.name).sort(),
    });
    return new Map(rows.map((row) => [row.id, named(row)]));
  }

  /** Ask as the user; where the token is refused, as after a restart with other keys, with a new one. */
  async #ask(path, init) {
    try {
      return await this.#askSignedIn(path, init);
    } catch (error) {
      if (error.status !== UNAUTHORIZED) throw error;
      this.#session = null;
      return await this.#askSignedIn(path, init);
    }
  }

  async #askSignedIn(path, init) {
    const { token, anonKey } = await this.#signedIn();
    const headers = {
      apikey: anonKey,
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...init.headers,
    };
    return await answer(path, { ...init, headers });
  }

  async #signedIn() {
    if (this.#session === null || this.#session.expiresAt - RENEW_BEFORE_SECONDS < Date.now() / 1000) {
      this.#session = await json(`/demo/session?user=${this.userId}`, {});
    }
    return this.#session;
  }
}

/** Decisions outlive the videos that they are about. */
function gone(id) {
  return { id, title: "A video that is gone" };
}

async function json(path, init) {
  return await (await answer(path, init)).json();
}

async function answer(path, init) {
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new AskError(0, "The local stack does not answer. Is it still running?");
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new AskError(response.status, said.error ?? said.message ?? `The stack answers with ${response.status}`);
}
